-- How many borrowers of each lender stand at which level now, and what is overdue.
-- lender: only this lender; all where it is not given
SELECT lender_id, level, borrowers, average_lhi, average_pd, borrowers_past_due, overdue_amount
FROM portfolio_now
WHERE lender_id = {lender:String} -- if lender
ORDER BY lender_id, indexOf(['AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS', 'UNKNOWN'], level)
