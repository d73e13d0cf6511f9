-- The lender's borrowers by level at the end of each day of the month.
SELECT day, level, count() AS borrowers
FROM
(
    SELECT borrower_id, arrayJoin(arrayMap(number -> {month:Date} + number, range(toUInt32(least(addMonths({month:Date}, 1), (SELECT toDate(max(event_time)) + 1 FROM snapshots)) - {month:Date})))) AS day
    FROM (SELECT DISTINCT borrower_id FROM snapshots WHERE has(lender_ids, {lender:String}) AND event_time < addMonths({month:Date}, 1))
) AS grid
ASOF INNER JOIN
(
    SELECT borrower_id, toDate(event_time) AS scored_on, argMax(level, event_time) AS level, argMax(has(lender_ids, {lender:String}), event_time) AS is_ours
    FROM snapshots
    WHERE event_time < addMonths({month:Date}, 1)
    GROUP BY borrower_id, scored_on
) AS scored ON grid.borrower_id = scored.borrower_id AND grid.day >= scored.scored_on
WHERE is_ours
GROUP BY day, level
ORDER BY day, level
