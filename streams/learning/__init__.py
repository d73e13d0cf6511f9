"""The learning core: labels that come late, the models that learn from them, and how good they are. Values only."""
