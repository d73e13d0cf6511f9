-- The month in a few numbers.
SELECT
    uniqExact(alert_id) AS alerts,
    uniqExact(borrower_id) AS borrowers_alerted
FROM alerts
WHERE lender_id = {lender:String} AND event_time >= {month:Date} AND event_time < addMonths({month:Date}, 1)
