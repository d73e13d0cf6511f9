"""What counts as a default, for labels, scoring, evaluation and the simulated city alike."""

DEFAULT_DAYS = 30
"""Days past due (DPD) from which an instalment is in default. The day after the due date is day 1."""
