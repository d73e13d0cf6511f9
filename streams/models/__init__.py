"""Models as they are served: weights, calibration, forests and segments, in plain numbers.

Nothing here learns, and no learning library is imported.
"""
