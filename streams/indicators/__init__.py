"""The twelve indicators: pure functions of a borrower's record and a time, each giving a value and its evidence.

How they are weighed into an index belongs in scoring/.
"""
