"""Loanpulse watches the liquidity of every borrower in a loan book while the money moves.

The packages below it are folders at the top of the source tree: in a checkout they are reached by links beside this
file, in a wheel they are mapped here (``pyproject.toml``). Nothing but the version belongs in this module.
"""

__version__ = "0.1.0"
