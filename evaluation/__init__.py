"""How good the engine is: its scorings against a truth that it never saw, beside baselines."""
