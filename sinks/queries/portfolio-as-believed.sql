-- The portfolio as it was believed to be at the end of a day, whatever was learned later.
-- lender: only this lender; all where it is not given
-- as-of = 0d: the day, as a date or as a time before now such as 7d
SELECT lender_id, level, borrowers, average_lhi, average_pd, borrowers_past_due, overdue_amount
FROM portfolio_as_believed(as_of = {as_of:Date})
WHERE lender_id = {lender:String} -- if lender
ORDER BY lender_id, indexOf(['AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS', 'UNKNOWN'], level)
