-- Borrowers of a lender by level, hour by hour.
-- lender: only this lender; all where it is not given
-- since = 2d: from when, as a date or as a time before now such as 2d
SELECT hour, lender_id, level, borrowers, average_lhi, average_pd, borrowers_past_due
FROM portfolio_by_hour
WHERE hour >= toStartOfHour({since:DateTime64(3, 'UTC')})
    AND lender_id = {lender:String} -- if lender
ORDER BY hour, lender_id, indexOf(['AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS', 'UNKNOWN'], level)
