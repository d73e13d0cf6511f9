-- Alerts by day and kind, and what became of them.
-- lender: only this lender; all where it is not given
-- since = 30d: from when, as a date or as a time before now such as 30d
SELECT day, lender_id, kind, sum(alerts) AS all_alerts, sumIf(alerts, disposition = 'SENT') AS sent,
    sumIf(alerts, disposition = 'DEFERRED') AS deferred, sumIf(alerts, disposition = 'SUPPRESSED') AS suppressed
FROM alerts_daily
WHERE day >= toDate({since:DateTime64(3, 'UTC')})
    AND lender_id = {lender:String} -- if lender
GROUP BY day, lender_id, kind
ORDER BY day DESC, lender_id, all_alerts DESC
