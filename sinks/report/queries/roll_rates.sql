-- How the lender's borrowers moved between levels from the beginning of the month to its end.
SELECT level_from, level_to, count() AS borrowers
FROM
(
    SELECT
        borrower_id,
        argMaxIf(level, event_time, event_time < {month:Date}) AS level_from,
        argMax(level, event_time) AS level_to,
        countIf(event_time < {month:Date}) AS scorings_before
    FROM snapshots
    WHERE has(lender_ids, {lender:String}) AND event_time < addMonths({month:Date}, 1)
    GROUP BY borrower_id
)
WHERE scorings_before > 0
GROUP BY level_from, level_to
ORDER BY level_from, level_to
