"""The twelve high-risk behaviours: what each means (``catalogue.py``), when it holds, and its episodes.

Pure functions of a record and a time. What is remembered for them is written in fold/.
"""
