-- For each alert episode of the month that was sent: the days until a loan with the lender was 30 days past due, null if none was within 60 days.
SELECT toFloat64(lead_time_days) AS lead_days
FROM alert_outcomes
WHERE lender_id = {lender:String} AND is_sent AND toStartOfMonth(toDate(alerted_at)) = {month:Date}
