-- The portfolio under plain names. FINAL stands inside, so that nobody meets a doubled or a restated row.
CREATE VIEW borrowers_now AS
SELECT
    borrower_id, scored_at, known_at, level, lhi, pd, confidence, days_past_due, overdue_amount, balance, open_loans,
    lender_ids, shortfall_days_p50, cqplm_score, credit_score, scenario_score, behaviours,
    net_cash_flow_points,
    savings_coverage_points,
    debt_concentration_points,
    income_volatility_points,
    income_trend_points,
    debt_service_points,
    arrears_points,
    payment_shortfall_points,
    borrow_to_repay_points,
    utility_arrears_points,
    usage_shock_points,
    spending_stress_points
FROM borrowers_latest FINAL
COMMENT 'Each borrower as last scored';

CREATE VIEW event_clock AS
SELECT max(scored_at) AS now
FROM borrowers_latest
COMMENT 'The newest scored moment: what "now" is in event time';

CREATE VIEW loan_book AS
SELECT
    lender_id,
    borrower_id,
    loan_id,
    argMaxMerge(loans.product) AS product,
    argMaxMerge(loans.region) AS region,
    argMaxMerge(loans.status) AS last_event,
    argMaxMerge(loans.outstanding_principal) AS outstanding_principal,
    argMaxMerge(loans.amount) AS amount,
    min(loans.disbursed_at) AS disbursed_at,
    min(loans.ended_at) AS ended_at,
    min(loans.written_off_at) AS written_off_at
FROM loans
GROUP BY lender_id, borrower_id, loan_id
COMMENT 'Loans as last told; product and region are empty where no event named them';

CREATE VIEW loan_segments AS
SELECT DISTINCT lender_id, borrower_id, region, product
FROM loan_book
WHERE ended_at IS NULL
COMMENT 'Regions and products of each borrower''s open loans, by lender';

CREATE VIEW portfolio_now AS
SELECT
    lender_id,
    level,
    count() AS borrowers,
    round(avg(lhi), 2) AS average_lhi,
    round(avg(pd), 4) AS average_pd,
    countIf(days_past_due > 0) AS borrowers_past_due,
    sum(overdue_amount) AS overdue_amount
FROM borrowers_latest FINAL
ARRAY JOIN lender_ids AS lender_id
GROUP BY lender_id, level
COMMENT 'Borrowers of each lender by level now';

CREATE VIEW segments_now AS
SELECT
    lender_id,
    region,
    product,
    level,
    count() AS borrowers,
    round(avg(lhi), 2) AS average_lhi,
    countIf(days_past_due > 0) AS borrowers_past_due
FROM
(
    SELECT borrower_id, lender_id, level, lhi, days_past_due
    FROM borrowers_latest FINAL
    ARRAY JOIN lender_ids AS lender_id
) AS scored
INNER JOIN loan_segments USING (lender_id, borrower_id)
GROUP BY lender_id, region, product, level
COMMENT 'Borrowers of each lender by region and product of their open loans and by level now';

CREATE VIEW portfolio_by_minute AS
SELECT
    minute,
    lender_id,
    level,
    count() AS borrowers,
    round(avg(lhi), 2) AS average_lhi,
    round(avg(pd), 4) AS average_pd,
    countIf(days_past_due > 0) AS borrowers_past_due,
    sum(overdue_amount) AS overdue_amount
FROM borrower_minutes FINAL
ARRAY JOIN lender_ids AS lender_id
GROUP BY minute, lender_id, level
COMMENT 'Borrowers of each lender by the level at the end of the minute, of those scored in it';

CREATE VIEW segments_by_minute AS
SELECT
    minute,
    lender_id,
    region,
    product,
    level,
    count() AS borrowers,
    round(avg(lhi), 2) AS average_lhi,
    countIf(days_past_due > 0) AS borrowers_past_due
FROM
(
    SELECT minute, borrower_id, lender_id, level, lhi, days_past_due
    FROM borrower_minutes FINAL
    ARRAY JOIN lender_ids AS lender_id
) AS scored
INNER JOIN loan_segments USING (lender_id, borrower_id)
GROUP BY minute, lender_id, region, product, level
COMMENT 'Borrowers of each lender by region and product of their loans and by the level at the end of the minute, of those scored in it';

CREATE VIEW portfolio_by_hour AS
SELECT
    hour,
    lender_id,
    level,
    count() AS borrowers,
    round(avg(lhi), 2) AS average_lhi,
    round(avg(pd), 4) AS average_pd,
    countIf(days_past_due > 0) AS borrowers_past_due,
    sum(overdue_amount) AS overdue_amount
FROM borrower_hours FINAL
ARRAY JOIN lender_ids AS lender_id
GROUP BY hour, lender_id, level
COMMENT 'Borrowers of each lender by the level at the end of the hour, of those scored in it';

CREATE VIEW segments_by_hour AS
SELECT
    hour,
    lender_id,
    region,
    product,
    level,
    count() AS borrowers,
    round(avg(lhi), 2) AS average_lhi,
    countIf(days_past_due > 0) AS borrowers_past_due
FROM
(
    SELECT hour, borrower_id, lender_id, level, lhi, days_past_due
    FROM borrower_hours FINAL
    ARRAY JOIN lender_ids AS lender_id
) AS scored
INNER JOIN loan_segments USING (lender_id, borrower_id)
GROUP BY hour, lender_id, region, product, level
COMMENT 'Borrowers of each lender by region and product of their loans and by the level at the end of the hour, of those scored in it';

CREATE VIEW portfolio_by_day AS
SELECT
    day,
    lender_id,
    level,
    count() AS borrowers,
    round(avg(lhi), 2) AS average_lhi,
    round(avg(pd), 4) AS average_pd,
    countIf(days_past_due > 0) AS borrowers_past_due,
    sum(overdue_amount) AS overdue_amount
FROM borrower_days FINAL
ARRAY JOIN lender_ids AS lender_id
GROUP BY day, lender_id, level
COMMENT 'Borrowers of each lender by the level at the end of the day, of those scored in it';

CREATE VIEW segments_by_day AS
SELECT
    day,
    lender_id,
    region,
    product,
    level,
    count() AS borrowers,
    round(avg(lhi), 2) AS average_lhi,
    countIf(days_past_due > 0) AS borrowers_past_due
FROM
(
    SELECT day, borrower_id, lender_id, level, lhi, days_past_due
    FROM borrower_days FINAL
    ARRAY JOIN lender_ids AS lender_id
) AS scored
INNER JOIN loan_segments USING (lender_id, borrower_id)
GROUP BY day, lender_id, region, product, level
COMMENT 'Borrowers of each lender by region and product of their loans and by the level at the end of the day, of those scored in it';

CREATE VIEW level_changes_daily AS
SELECT
    day,
    lender_id,
    level_from,
    level_to,
    count() AS changes,
    uniqExact(borrower_id) AS borrowers
FROM level_changes FINAL
ARRAY JOIN lender_ids AS lender_id
WHERE level_from != level_to AND level_from != 'UNKNOWN'
GROUP BY day, lender_id, level_from, level_to
COMMENT 'Changes of level by day and lender';

CREATE VIEW roll_rates_daily AS
SELECT
    day,
    lender_id,
    level_from,
    level_to,
    count() AS borrowers,
    round(borrowers / sum(borrowers) OVER (PARTITION BY day, lender_id, level_from), 4) AS share
FROM
(
    SELECT
        closing.day AS day,
        closing.lender_id AS lender_id,
        if(opening.level_from = '', closing.level, opening.level_from) AS level_from,
        closing.level AS level_to
    FROM
    (
        SELECT day, borrower_id, lender_id, level
        FROM borrower_days FINAL
        ARRAY JOIN lender_ids AS lender_id
    ) AS closing
    LEFT JOIN
    (
        SELECT day, borrower_id, toString(argMin(level_changes.level_from, event_time)) AS level_from
        FROM level_changes FINAL
        WHERE level_changes.level_from != level_to
        GROUP BY day, borrower_id
    ) AS opening USING (day, borrower_id)
)
GROUP BY day, lender_id, level_from, level_to
COMMENT 'Where borrowers scored on a day stood before it and at its end: the matrix of roll rates, row by row';

CREATE VIEW dpd_buckets_now AS
SELECT
    lender_id,
    multiIf(days_past_due = 0, '0', days_past_due < 8, '1-7', days_past_due < 30, '8-29', days_past_due < 60, '30-59',
        days_past_due < 90, '60-89', '90+') AS bucket,
    count() AS borrowers,
    sum(overdue_amount) AS overdue_amount,
    round(avg(lhi), 2) AS average_lhi
FROM borrowers_latest FINAL
ARRAY JOIN lender_ids AS lender_id
GROUP BY lender_id, bucket
COMMENT 'Borrowers of each lender by days past due now';

CREATE VIEW dpd_buckets_daily AS
SELECT
    day,
    lender_id,
    multiIf(days_past_due = 0, '0', days_past_due < 8, '1-7', days_past_due < 30, '8-29', days_past_due < 60, '30-59',
        days_past_due < 90, '60-89', '90+') AS bucket,
    count() AS borrowers,
    sum(overdue_amount) AS overdue_amount
FROM borrower_days FINAL
ARRAY JOIN lender_ids AS lender_id
GROUP BY day, lender_id, bucket
COMMENT 'Borrowers of each lender by days past due at the end of the day, of those scored in it';

CREATE VIEW co_debt_now AS
SELECT
    least(length(lender_ids), 10) AS active_lenders,
    count() AS borrowers,
    round(avg(lhi), 2) AS average_lhi,
    round(avg(pd), 4) AS average_pd,
    round(countIf(level IN ('TENSE', 'CRISIS')) / count(), 4) AS share_tense_or_worse
FROM borrowers_latest FINAL
GROUP BY active_lenders
COMMENT 'Borrowers by number of lenders with an open loan; 10 stands for 10 or more';

CREATE VIEW shortfall_bands_now AS
SELECT
    lender_id,
    multiIf(shortfall_days_p50 IS NULL, 'unknown', shortfall_days_p50 < 8, '0-7', shortfall_days_p50 < 15, '8-14',
        shortfall_days_p50 < 31, '15-30', shortfall_days_p50 < 61, '31-60', shortfall_days_p50 < 90, '61-89', '90+')
        AS band,
    count() AS borrowers,
    round(avg(lhi), 2) AS average_lhi
FROM borrowers_latest FINAL
ARRAY JOIN lender_ids AS lender_id
GROUP BY lender_id, band
COMMENT 'Borrowers of each lender by days until the balance can''t meet what falls due (median)';

CREATE VIEW what_we_knew AS
SELECT
    borrower_id,
    max((event_time, snapshots.known_at)).1 AS scored_at,
    max((event_time, snapshots.known_at)).2 AS known_at,
    argMax(snapshots.lhi, (event_time, snapshots.known_at)) AS lhi,
    argMax(snapshots.pd, (event_time, snapshots.known_at)) AS pd,
    argMax(snapshots.level, (event_time, snapshots.known_at)) AS level,
    argMax(snapshots.confidence, (event_time, snapshots.known_at)) AS confidence,
    argMax(snapshots.days_past_due, (event_time, snapshots.known_at)) AS days_past_due,
    argMax(snapshots.overdue_amount, (event_time, snapshots.known_at)) AS overdue_amount,
    argMax(tuple(snapshots.shortfall_days_p50), (event_time, snapshots.known_at)).1 AS shortfall_days_p50,
    argMax(snapshots.open_loans, (event_time, snapshots.known_at)) AS open_loans,
    argMax(snapshots.lender_ids, (event_time, snapshots.known_at)) AS lender_ids,
    argMax(snapshots.snapshot_id, (event_time, snapshots.known_at)) AS snapshot_id
FROM snapshots
WHERE snapshots.known_at <= {as_of:DateTime64(3, 'UTC')}
GROUP BY borrower_id
COMMENT 'Borrowers as they were known at a moment (as_of), without anything learned later; name a borrower_id';

CREATE VIEW borrowers_as_believed AS
SELECT
    borrower_id,
    argMax(known.level, version) AS level,
    argMax(known.lhi, version) AS lhi,
    argMax(known.pd, version) AS pd,
    argMax(known.days_past_due, version) AS days_past_due,
    argMax(known.overdue_amount, version) AS overdue_amount,
    argMax(known.lender_ids, version) AS lender_ids
FROM
(
    SELECT borrower_id, level, lhi, pd, days_past_due, overdue_amount, lender_ids, version
    FROM borrower_days_as_known
    WHERE known_day >= toStartOfMonth({as_of:Date}) AND known_day <= {as_of:Date}
    UNION ALL
    SELECT borrower_id, level, lhi, pd, days_past_due, overdue_amount, lender_ids, version
    FROM borrower_months_as_known
    WHERE known_month < toStartOfMonth({as_of:Date})
) AS known
GROUP BY borrower_id
COMMENT 'Each borrower as it was believed to be at the end of a day (as_of)';

CREATE VIEW portfolio_as_believed AS
SELECT
    lender_id,
    level,
    count() AS borrowers,
    round(avg(lhi), 2) AS average_lhi,
    round(avg(pd), 4) AS average_pd,
    countIf(days_past_due > 0) AS borrowers_past_due,
    sum(overdue_amount) AS overdue_amount
FROM borrowers_as_believed(as_of = {as_of:Date})
ARRAY JOIN lender_ids AS lender_id
GROUP BY lender_id, level
COMMENT 'The portfolio as it was believed to be at the end of a day (as_of), whatever was learned later';
