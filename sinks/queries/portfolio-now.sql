-- The portfolio now: borrowers of each lender at each level, with what is overdue.
SELECT * FROM portfolio_now ORDER BY lender_id, indexOf(['AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS'], level)
