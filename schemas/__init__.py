"""The contracts: what may stand on each topic, and how it is encoded."""
