-- Questions about the whole book, answered without a join by borrower and without states that must be decoded: where each
-- borrower of a lender stood before a day and at its end in one row, instalments as plain columns, and views that read folded
-- rows as they are. Rows of what was replaced are carried over.
-- Tuples are materialized before their elements are taken: FINAL folds whole columns, and would fold an element read alone as
-- if it had no function.
-- Moments and levels of a borrower's day are packed into one number each, which FINAL folds and a query reads as fast as it can:
-- milliseconds since midnight (27 bits), the delay until it was known (34 bits, at most 198 days; turned round in an opening, so
-- that the smallest number is what was known last), and the level (3 bits).
CREATE TABLE borrower_day_moves
(
    lender_id LowCardinality(String) COMMENT 'A lender with an open loan of the borrower at a scoring of the day',
    day Date COMMENT 'The day of the scored moments' CODEC(Delta, ZSTD(1)),
    borrower_id String COMMENT 'The borrower who was scored' CODEC(ZSTD(1)),
    opening SimpleAggregateFunction(min, UInt64) COMMENT 'The day''s first scoring with such a loan as last known, packed; the lowest 3 bits are the level before it: 0 UNKNOWN, 1 AMPLE, 2 STABLE, 3 WATCH, 4 TENSE, 5 CRISIS' CODEC(ZSTD(1)),
    closing SimpleAggregateFunction(max, UInt64) COMMENT 'The day''s last scoring with such a loan as last known, packed; the lowest 3 bits are the level after it' CODEC(ZSTD(1)),
    loaded_at SimpleAggregateFunction(max, DateTime64(0, 'UTC')) DEFAULT now64(0, 'UTC') COMMENT 'When the row was last loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (lender_id, day, borrower_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Where each borrower of a lender stood before each day and at its end; ask roll_rates_daily';

CREATE MATERIALIZED VIEW borrower_day_moves_from_snapshots TO borrower_day_moves AS
WITH
    bitShiftLeft(toUInt64(toUnixTimestamp64Milli(event_time) % 86400000), 37) AS moment,
    toUInt64(greatest(0, least(17179869183, toUnixTimestamp64Milli(known_at) - toUnixTimestamp64Milli(event_time)))) AS delay,
    ['AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS'] AS levels
SELECT
    lender_id,
    toDate(event_time) AS day,
    borrower_id,
    moment + bitShiftLeft(17179869183 - delay, 3) + indexOf(levels, toString(previous_level)) AS opening,
    moment + bitShiftLeft(delay, 3) + indexOf(levels, toString(level)) AS closing
FROM snapshots
ARRAY JOIN lender_ids AS lender_id
COMMENT 'Fills borrower_day_moves';

INSERT INTO borrower_day_moves (lender_id, day, borrower_id, opening, closing)
WITH
    bitShiftLeft(toUInt64(toUnixTimestamp64Milli(event_time) % 86400000), 37) AS moment,
    toUInt64(greatest(0, least(17179869183, toUnixTimestamp64Milli(known_at) - toUnixTimestamp64Milli(event_time)))) AS delay,
    ['AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS'] AS levels
SELECT
    lender_id,
    toDate(event_time),
    borrower_id,
    moment + bitShiftLeft(17179869183 - delay, 3) + indexOf(levels, toString(previous_level)),
    moment + bitShiftLeft(delay, 3) + indexOf(levels, toString(level))
FROM snapshots
ARRAY JOIN lender_ids AS lender_id;

-- Days whose raw scorings have expired: of them only the day's last scoring is known, and the first change of level.
INSERT INTO borrower_day_moves (lender_id, day, borrower_id, opening, closing)
WITH
    bitShiftLeft(toUInt64(toUnixTimestamp64Milli(scored_at) % 86400000), 37) AS moment,
    toUInt64(greatest(0, least(17179869183, toUnixTimestamp64Milli(known_at) - toUnixTimestamp64Milli(scored_at)))) AS delay,
    ['AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS'] AS levels
SELECT
    lender_id,
    closing.day,
    closing.borrower_id,
    moment + bitShiftLeft(17179869183 - delay, 3)
        + indexOf(levels, if(opening.level_from = '', closing.level_to, opening.level_from)),
    moment + bitShiftLeft(delay, 3) + indexOf(levels, closing.level_to)
FROM
(
    SELECT day, borrower_id, lender_id, scored_at, known_at, toString(level) AS level_to
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
WHERE closing.day < (SELECT ifNull(minOrNull(toDate(event_time)), toDate('2149-06-06')) FROM snapshots);

CREATE OR REPLACE VIEW roll_rates_daily AS
SELECT
    day,
    lender_id,
    ['UNKNOWN', 'AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS'][1 + level_before] AS level_from,
    ['UNKNOWN', 'AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS'][1 + level_after] AS level_to,
    borrowers,
    round(borrowers / sum(borrowers) OVER (PARTITION BY day, lender_id, level_before), 4) AS share
FROM
(
    SELECT day, lender_id, bitAnd(opening, 7) AS level_before, bitAnd(closing, 7) AS level_after, count() AS borrowers
    FROM borrower_day_moves FINAL
    GROUP BY day, lender_id, level_before, level_after
)
COMMENT 'Where borrowers scored on a day with an open loan stood before it and at its end: the matrix of roll rates, row by row';

CREATE TABLE instalment_ledger
(
    lender_id LowCardinality(String) COMMENT 'Who owns the loan',
    borrower_id String COMMENT 'Whose loan it is' CODEC(ZSTD(1)),
    loan_id String COMMENT 'The loan, unique within the lender' CODEC(ZSTD(1)),
    due_date Date COMMENT 'The day on which the instalment is due; it names it' CODEC(Delta, ZSTD(1)),
    due SimpleAggregateFunction(max, Tuple(told_at DateTime64(3, 'UTC'), event UInt64, amount Decimal(14, 2))) COMMENT 'Amount due as last told: when, a hash of the event''s id, how much' CODEC(ZSTD(1)),
    payments SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(paid_at DateTime64(3, 'UTC'), event UInt64, amount Decimal(14, 2)))) COMMENT 'Payments: when, a hash of the event''s id, how much' CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
ORDER BY (lender_id, borrower_id, loan_id, due_date)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What fell due and what was paid, by instalment; ask instalments';

CREATE MATERIALIZED VIEW instalment_ledger_from_events TO instalment_ledger AS
SELECT
    lender_id,
    borrower_id,
    loan_id,
    assumeNotNull(due_date) AS due_date,
    if(kind = 'INSTALMENT_DUE', (event_time, cityHash64(event_id), assumeNotNull(amount)),
        (toDateTime64(0, 3, 'UTC'), toUInt64(0), toDecimal64(0, 2))) AS due,
    if(kind = 'PAID', [(event_time, cityHash64(event_id), assumeNotNull(amount))], []) AS payments
FROM repayment_events
WHERE kind IN ('INSTALMENT_DUE', 'PAID') AND repayment_events.due_date IS NOT NULL AND repayment_events.amount IS NOT NULL
COMMENT 'Fills instalment_ledger';

INSERT INTO instalment_ledger (lender_id, borrower_id, loan_id, due_date, due, payments)
SELECT
    lender_id,
    borrower_id,
    loan_id,
    assumeNotNull(due_date),
    if(kind = 'INSTALMENT_DUE', (event_time, cityHash64(event_id), assumeNotNull(amount)),
        (toDateTime64(0, 3, 'UTC'), toUInt64(0), toDecimal64(0, 2))),
    if(kind = 'PAID', [(event_time, cityHash64(event_id), assumeNotNull(amount))], [])
FROM repayment_events
WHERE kind IN ('INSTALMENT_DUE', 'PAID') AND repayment_events.due_date IS NOT NULL AND repayment_events.amount IS NOT NULL;

INSERT INTO instalment_ledger (lender_id, borrower_id, loan_id, due_date, due, payments)
SELECT
    lender_id,
    borrower_id,
    loan_id,
    due_date,
    (toDateTime64(0, 3, 'UTC'), toUInt64(0), finalizeAggregation(instalment_events.due)),
    finalizeAggregation(instalment_events.payments)
FROM instalment_events FINAL;

DROP VIEW instalment_events_from_events;

DROP TABLE instalment_events;

CREATE OR REPLACE VIEW instalments AS
SELECT
    lender_id,
    borrower_id,
    loan_id,
    due_date,
    told.amount AS due,
    arraySort(paid_by) AS payments,
    arraySum(payments.amount) AS paid,
    arrayFirstIndex(sum -> sum >= due, arrayCumSum(payments.amount)) AS paid_up_by,
    if(paid_up_by = 0, NULL, payments[paid_up_by].1) AS paid_up_at
FROM
(
    SELECT lender_id, borrower_id, loan_id, due_date, materialize(instalment_ledger.due) AS told,
        materialize(instalment_ledger.payments) AS paid_by
    FROM instalment_ledger FINAL
)
WHERE told.amount > 0
COMMENT 'What fell due, what was paid, and when it was paid in full (null: not yet)';

CREATE OR REPLACE VIEW defaults AS
SELECT
    lender_id,
    borrower_id,
    loan_id,
    min(due_date) + 30 AS defaulted_on
FROM
(
    SELECT lender_id, borrower_id, loan_id, due_date, materialize(instalment_ledger.due) AS told,
        materialize(instalment_ledger.payments) AS paid_by
    FROM instalment_ledger FINAL
)
WHERE told.amount > 0 AND due_date + 30 <= toDate((SELECT now FROM event_clock))
    AND arraySum(one -> if(toDate(one.paid_at) <= due_date + 30, one.amount, 0), paid_by) < told.amount
GROUP BY lender_id, borrower_id, loan_id
COMMENT 'Loans of which an instalment went 30 days past due, and the day on which the first did';

CREATE OR REPLACE VIEW loan_book AS
SELECT
    lender_id,
    borrower_id,
    loan_id,
    finalizeAggregation(loans.product) AS product,
    finalizeAggregation(loans.region) AS region,
    finalizeAggregation(loans.status) AS last_event,
    finalizeAggregation(loans.outstanding_principal) AS outstanding_principal,
    finalizeAggregation(loans.amount) AS amount,
    disbursed_at,
    ended_at,
    written_off_at
FROM loans FINAL
COMMENT 'Loans as last told; product and region are empty where no event named them';

CREATE OR REPLACE VIEW alert_episodes AS
SELECT
    lender_id,
    episode_id,
    borrower_id,
    kind,
    alerted_at,
    is_sent,
    first_report_at,
    first_contact_at,
    paid_at,
    helped_at,
    false_alarm_at,
    finalizeAggregation(episodes.outcome) AS outcome,
    round(dateDiff('second', alerted_at, first_contact_at) / 3600, 1) AS hours_to_first_contact
FROM episodes FINAL
WHERE alerted_at IS NOT NULL
COMMENT 'What became of each alert episode by what was reported; outcome is empty where nothing was';

-- Days to cure are time that passed, not hours struck by the clock.
CREATE OR REPLACE VIEW alert_outcomes AS
SELECT
    episode.lender_id AS lender_id,
    episode.episode_id AS episode_id,
    episode.borrower_id AS borrower_id,
    episode.kind AS kind,
    episode.alerted_at AS alerted_at,
    episode.is_sent AS is_sent,
    episode.outcome AS outcome,
    episode.hours_to_first_contact AS hours_to_first_contact,
    arrayFirst(day -> day > toDate(alerted_at), arraySort(truth.defaulted_on)) AS next_default,
    next_default != toDate(0) AND next_default <= toDate(alerted_at) + 60 AS is_true,
    is_true OR toDate(alerted_at) + 60 <= toDate((SELECT now FROM event_clock)) AS is_matured,
    if(is_true, dateDiff('day', toDate(alerted_at), next_default), NULL) AS lead_time_days,
    arrayFirst(moment -> moment > alerted_at, arraySort(recovery.moments)) AS recovered_at,
    least(if(recovered_at > alerted_at, toNullable(recovered_at), NULL), episode.paid_at) AS cured_at,
    round(dateDiff('second', alerted_at, cured_at) / 86400, 1) AS days_to_cure
FROM alert_episodes AS episode
LEFT JOIN
(
    SELECT lender_id, borrower_id, groupArray(defaulted_on) AS defaulted_on
    FROM defaults
    GROUP BY lender_id, borrower_id
) AS truth USING (lender_id, borrower_id)
LEFT JOIN
(
    SELECT lender_id, borrower_id, groupUniqArray(event_time) AS moments
    FROM alerts
    WHERE kind = 'LEVEL_IMPROVED' AND level_to IN ('AMPLE', 'STABLE')
    GROUP BY lender_id, borrower_id
) AS recovery USING (lender_id, borrower_id)
WHERE episode.kind != 'LEVEL_IMPROVED'
COMMENT 'Each alert episode beside what really happened: true if a loan of the borrower with that lender went 30 days past due within 60 days after it';

-- Past months become one part each, which FINAL reads as it is.
ALTER TABLE borrower_hours MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE borrower_days MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE borrower_day_moves MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE borrower_days_as_known MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE borrower_months_as_known MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE level_changes MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;
