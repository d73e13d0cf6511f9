-- For each alert of the month at TENSE or CRISIS: the days until the borrower was 30 days past due, null if that never came.
SELECT alert_id, if(later = 0, NULL, toFloat64(later) / 86400.) AS lead_days
FROM
(
    SELECT
        alerts.alert_id AS alert_id,
        minIf(dateDiff('second', alerts.event_time, trouble.event_time), trouble.event_time > alerts.event_time) AS later
    FROM (SELECT alert_id, borrower_id, event_time FROM alerts FINAL WHERE lender_id = {lender:String} AND level_to IN ('TENSE', 'CRISIS') AND event_time >= {month:Date} AND event_time < addMonths({month:Date}, 1)) AS alerts
    LEFT JOIN (SELECT DISTINCT borrower_id, event_time FROM snapshots WHERE days_past_due >= 30 AND event_time >= {month:Date} AND event_time < addMonths({month:Date}, 3)) AS trouble
        ON alerts.borrower_id = trouble.borrower_id
    GROUP BY alert_id
)
