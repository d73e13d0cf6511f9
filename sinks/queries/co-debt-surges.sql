-- Borrowers who took credit of several new lenders at once, by day.
-- lender: only this lender; all where it is not given
-- since = 90d: from when, as a date or as a time before now such as 90d
SELECT day, lender_id, borrowers, average_lhi
FROM co_debt_surges_daily
WHERE day >= toDate({since:DateTime64(3, 'UTC')})
    AND lender_id = {lender:String} -- if lender
ORDER BY day DESC, lender_id
