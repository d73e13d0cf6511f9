"""The monthly report of a lender: figures from the warehouse, charts, one self-contained page."""
