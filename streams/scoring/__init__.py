"""From a record to a score: index, level, points, dimensions, and the time of the next scoring.

It reads the record and the scoring parameters only. It never changes what a fold has written.
"""
