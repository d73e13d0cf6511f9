-- How many alerts of each kind came true, by week, and how early they were.
-- lender: only this lender; all where it is not given
-- since = 90d: from when, as a date or as a time before now such as 90d
SELECT week, lender_id, kind, episodes, matured, came_true, precision, reported, precision_reported, median_lead_time_days
FROM alert_precision_weekly
WHERE week >= toMonday(toDate({since:DateTime64(3, 'UTC')}))
    AND lender_id = {lender:String} -- if lender
ORDER BY week DESC, lender_id, episodes DESC
