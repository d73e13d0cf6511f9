"""A simulated city of households with loans, for demonstrations, tests and evaluation."""
