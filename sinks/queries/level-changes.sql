-- How many borrowers moved from which level to which, by day.
-- lender: only this lender; all where it is not given
-- since = 30d: from when, as a date or as a time before now such as 30d
SELECT day, lender_id, level_from, level_to, changes, borrowers
FROM level_changes_daily
WHERE day >= toDate({since:DateTime64(3, 'UTC')})
    AND lender_id = {lender:String} -- if lender
ORDER BY day DESC, lender_id, changes DESC
