-- What analysts ask for, under plain names. FINAL or argMax inside, so that nobody meets a doubled row.
CREATE VIEW borrowers_now AS
SELECT
    borrower_id,
    max(event_time) AS scored_at,
    argMax(lhi, event_time) AS lhi,
    argMax(pd, event_time) AS pd,
    argMax(level, event_time) AS level,
    argMax(confidence, event_time) AS confidence,
    argMax(runway_days, event_time) AS runway_days,
    argMax(days_past_due, event_time) AS days_past_due,
    argMax(overdue_amount, event_time) AS overdue_amount,
    argMax(open_loans, event_time) AS open_loans,
    argMax(lender_ids, event_time) AS lender_ids
FROM snapshots
GROUP BY borrower_id
COMMENT 'Each borrower as last scored';

CREATE VIEW portfolio_now AS
SELECT
    lender_id,
    level,
    count() AS borrowers,
    round(avg(lhi), 1) AS average_lhi,
    round(avg(pd), 4) AS average_pd,
    countIf(days_past_due > 0) AS borrowers_past_due,
    sum(overdue_amount) AS overdue_amount
FROM borrowers_now
ARRAY JOIN lender_ids AS lender_id
GROUP BY lender_id, level
COMMENT 'Borrowers of each lender at each level now';

CREATE VIEW portfolio_by_hour AS
SELECT
    toDateTime64(toStartOfHour(event_time), 0, 'UTC') AS hour,
    level,
    uniqExact(borrower_id) AS borrowers_scored,
    uniqExact(snapshot_id) AS scorings,
    round(avg(lhi), 1) AS average_lhi
FROM snapshots FINAL
GROUP BY hour, level
COMMENT 'Borrowers scored at each level, by hour';

CREATE VIEW level_changes_daily AS
SELECT
    toDate(event_time) AS day,
    previous_level AS level_from,
    level AS level_to,
    uniqExact(snapshot_id) AS changes,
    uniqExact(borrower_id) AS borrowers
FROM snapshots
WHERE level != previous_level AND previous_level != 'UNKNOWN'
GROUP BY day, level_from, level_to
COMMENT 'Borrowers who changed level, by day';

CREATE VIEW alerts_newest AS
SELECT
    event_time, lender_id, borrower_id, kind, level_from, level_to, round(lhi, 1) AS lhi, round(confidence, 2) AS confidence,
    runway_days, reasons.code AS reasons, actions, hard_event, alert_id, episode_id, published_at
FROM alerts FINAL
ORDER BY event_time DESC
COMMENT 'Alerts, the newest first';

CREATE VIEW alerts_daily AS
SELECT
    toDate(event_time) AS day,
    lender_id,
    kind,
    level_to,
    uniqExact(alert_id) AS alerts,
    uniqExact(borrower_id) AS borrowers
FROM alerts
GROUP BY day, lender_id, kind, level_to
COMMENT 'Alerts by day, lender, kind and level';
