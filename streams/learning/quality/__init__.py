"""How good a model is, judged on matured examples.

Measures and their intervals, stability of the population, guards of new versions, audits by group, and health as one
value. Functions of arrays: nothing here learns, keeps state between windows (but the drift detector) or knows a topic.
"""
