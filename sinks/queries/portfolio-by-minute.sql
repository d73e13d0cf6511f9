-- Borrowers of a lender by level, minute by minute.
-- lender: only this lender; all where it is not given
-- since = 2h: from when, as a date or as a time before now such as 2h
SELECT minute, lender_id, level, borrowers, average_lhi, borrowers_past_due
FROM portfolio_by_minute
WHERE minute >= toStartOfMinute({since:DateTime64(3, 'UTC')})
    AND lender_id = {lender:String} -- if lender
ORDER BY minute, lender_id, indexOf(['AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS', 'UNKNOWN'], level)
