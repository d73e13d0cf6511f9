-- The month in a few numbers.
SELECT
    uniqExactIf(alert_id, kind = 'LEVEL_CHANGE' AND level_to IN ('TENSE', 'CRISIS')) AS alerts_of_level,
    uniqExact(alert_id) AS alerts,
    uniqExact(borrower_id) AS borrowers_alerted
FROM alerts
WHERE lender_id = {lender:String} AND event_time >= {month:Date} AND event_time < addMonths({month:Date}, 1)
