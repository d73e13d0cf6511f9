"""The twelve high-risk behaviours: what each means (``catalogue.py``), when it holds, and its episodes."""
