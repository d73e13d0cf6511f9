-- How the portfolio moved: borrowers at each level at the end of each day, of those scored in it.
-- lender: only this lender; all where it is not given
-- since = 30d: from when, as a date or as a time before now such as 30d
SELECT day, lender_id, level, borrowers, average_lhi, average_pd, borrowers_past_due, overdue_amount
FROM portfolio_by_day
WHERE day >= toDate({since:DateTime64(3, 'UTC')})
    AND lender_id = {lender:String} -- if lender
ORDER BY day, lender_id, indexOf(['AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS', 'UNKNOWN'], level)
