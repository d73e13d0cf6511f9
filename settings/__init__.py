"""The configuration of every part, read in one place."""
