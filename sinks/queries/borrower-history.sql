-- One borrower's scorings, with every restatement and when it was known.
-- borrower: the borrower
-- since = 365d: from when, as a date or as a time before now such as 365d
SELECT event_time, known_at, restated, cause, round(lhi, 1) AS lhi, level, days_past_due, overdue_amount, behaviours
FROM snapshots FINAL
WHERE borrower_id = {borrower:String} AND event_time >= {since:DateTime64(3, 'UTC')}
ORDER BY event_time, known_at
