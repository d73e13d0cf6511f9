"""A lender's own history replayed with learning on, and a report of what the levels would have found.

It judges the engine from outside and is no part of the stream.
"""
