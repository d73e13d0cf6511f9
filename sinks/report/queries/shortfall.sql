-- The lender's borrowers at the month's end by the median number of days until their money can't meet what falls due.
SELECT
    multiIf(days IS NULL, 'unknown', days < 7, '0-6', days < 14, '7-13', days < 30, '14-29', days < 60, '30-59', days < 90, '60-89', '90+') AS band,
    count() AS borrowers
FROM
(
    SELECT borrower_id, argMax(tuple(shortfall_days_p50), event_time).1 AS days
    FROM snapshots
    WHERE has(lender_ids, {lender:String}) AND event_time < addMonths({month:Date}, 1)
    GROUP BY borrower_id
)
GROUP BY band
