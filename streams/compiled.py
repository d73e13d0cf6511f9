"""The core's functions run compiled by the same decorator as the codec's; see ``loanpulse.schemas.compiled``."""

from loanpulse.schemas.compiled import compiled

__all__ = ["compiled"]
