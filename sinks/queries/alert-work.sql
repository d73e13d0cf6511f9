-- How soon alerts were worked and borrowers cured, by week and kind.
-- lender: only this lender; all where it is not given
-- since = 90d: from when, as a date or as a time before now such as 90d
SELECT week, lender_id, kind, episodes, reported, median_hours_to_first_contact, median_days_to_cure
FROM alert_precision_weekly
WHERE week >= toMonday(toDate({since:DateTime64(3, 'UTC')}))
    AND lender_id = {lender:String} -- if lender
ORDER BY week DESC, lender_id, kind
