"""Days to shortfall: on which day, over the next 90, the balance can't meet what falls due, and how sure that is.

It reads a record and predicts. What a short horizon means for level or alert is decided elsewhere.
"""
