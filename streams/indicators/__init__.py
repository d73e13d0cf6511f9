"""The twelve indicators: pure functions of a borrower's record and a moment, each giving a value and its evidence."""
