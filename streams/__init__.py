"""The stream: a pure core that turns events into scorings and alerts, and the parts that drive it.

The core's rooms know no broker, clock, thread or configuration; worker, trainer and faust_kafka do. No room imports
from one above it (pyproject.toml, import-linter).
"""
