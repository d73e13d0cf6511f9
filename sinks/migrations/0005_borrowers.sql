-- Each borrower's standing scoring, now and at the end of every minute, hour and day, and as it was known at the end of every
-- day. A restatement takes the place of what it restates, whenever it comes, and a scoring loaded twice changes nothing: the
-- row with the largest version stands. Sums over borrowers are taken by the views.
CREATE TABLE borrowers_latest
(
    borrower_id String COMMENT 'The borrower who was scored' CODEC(ZSTD(1)),
    scored_at DateTime64(3, 'UTC') COMMENT 'The scored moment, in event time, UTC' CODEC(Delta, ZSTD(1)),
    known_at DateTime64(3, 'UTC') COMMENT 'Event-time clock at which it was known' CODEC(Delta, ZSTD(1)),
    level LowCardinality(String) COMMENT 'Level after hysteresis, dwell and hard-event floors',
    lhi Float32 COMMENT 'Liquidity Health Index, 0 (worst) to 100 (best)' CODEC(ZSTD(1)),
    pd Float32 COMMENT 'Probability, 0..1, of an instalment going 30 or more days past due within 30 days' CODEC(ZSTD(1)),
    confidence Float32 COMMENT 'How much evidence stands behind the index, 0..1' CODEC(ZSTD(1)),
    days_past_due Int32 COMMENT 'Days past due of the oldest unpaid instalment; 0 if none' CODEC(ZSTD(1)),
    overdue_amount Decimal(14, 2) COMMENT 'Sum of unpaid instalments past their due date, over all lenders' CODEC(ZSTD(1)),
    open_loans Int32 COMMENT 'Number of open loans' CODEC(ZSTD(1)),
    lender_ids Array(LowCardinality(String)) COMMENT 'Lenders with an open loan of this borrower' CODEC(ZSTD(1)),
    shortfall_days_p50 Nullable(Float32) COMMENT 'Days until the balance can''t meet what falls due, median, 0..90; null where it can''t be told' CODEC(ZSTD(1)),
    cqplm_score Nullable(Float32) COMMENT 'CQ-PLM score, 0..100' CODEC(ZSTD(1)),
    balance Nullable(Decimal(14, 2)) COMMENT 'Last balance seen; null if none was ever sent' CODEC(ZSTD(1)),
    credit_score Nullable(Float32) COMMENT 'Credit dimension, 0..100; null without evidence' CODEC(ZSTD(1)),
    scenario_score Nullable(Float32) COMMENT 'Scenario dimension, 0..100; null without evidence' CODEC(ZSTD(1)),
    behaviours Array(LowCardinality(String)) COMMENT 'Behaviours whose episode is open' CODEC(ZSTD(1)),
    net_cash_flow_points Float32 COMMENT 'Index points that net_cash_flow costs against a perfect reading' CODEC(ZSTD(1)),
    savings_coverage_points Float32 COMMENT 'Index points that savings_coverage costs against a perfect reading' CODEC(ZSTD(1)),
    debt_concentration_points Float32 COMMENT 'Index points that debt_concentration costs against a perfect reading' CODEC(ZSTD(1)),
    income_volatility_points Float32 COMMENT 'Index points that income_volatility costs against a perfect reading' CODEC(ZSTD(1)),
    income_trend_points Float32 COMMENT 'Index points that income_trend costs against a perfect reading' CODEC(ZSTD(1)),
    debt_service_points Float32 COMMENT 'Index points that debt_service costs against a perfect reading' CODEC(ZSTD(1)),
    arrears_points Float32 COMMENT 'Index points that arrears costs against a perfect reading' CODEC(ZSTD(1)),
    payment_shortfall_points Float32 COMMENT 'Index points that payment_shortfall costs against a perfect reading' CODEC(ZSTD(1)),
    borrow_to_repay_points Float32 COMMENT 'Index points that borrow_to_repay costs against a perfect reading' CODEC(ZSTD(1)),
    utility_arrears_points Float32 COMMENT 'Index points that utility_arrears costs against a perfect reading' CODEC(ZSTD(1)),
    usage_shock_points Float32 COMMENT 'Index points that usage_shock costs against a perfect reading' CODEC(ZSTD(1)),
    spending_stress_points Float32 COMMENT 'Index points that spending_stress costs against a perfect reading' CODEC(ZSTD(1)),
    version UInt128 COMMENT 'Which row stands: the later scored moment, and of one moment what was known later' CODEC(ZSTD(1)),
    loaded_at DateTime64(0, 'UTC') DEFAULT now64(0, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (borrower_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Each borrower as last scored; ask borrowers_now';

CREATE MATERIALIZED VIEW borrowers_latest_from_snapshots TO borrowers_latest AS
SELECT
    borrower_id,
    event_time AS scored_at,
    known_at,
    level,
    lhi,
    pd,
    confidence,
    days_past_due,
    overdue_amount,
    open_loans,
    lender_ids,
    shortfall_days_p50,
    cqplm_score,
    balance,
    credit_score,
    scenario_score,
    behaviours,
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
    spending_stress_points,
    bitShiftLeft(toUInt128(toUnixTimestamp64Milli(event_time)), 64) + toUInt128(toUnixTimestamp64Milli(known_at)) AS version
FROM snapshots
COMMENT 'Fills borrowers_latest';

CREATE TABLE borrower_minutes
(
    minute DateTime64(0, 'UTC') COMMENT 'The minute of the scored moment' CODEC(Delta, ZSTD(1)),
    borrower_id String COMMENT 'The borrower who was scored' CODEC(ZSTD(1)),
    scored_at DateTime64(3, 'UTC') COMMENT 'The scored moment, in event time, UTC' CODEC(Delta, ZSTD(1)),
    known_at DateTime64(3, 'UTC') COMMENT 'Event-time clock at which it was known' CODEC(Delta, ZSTD(1)),
    level LowCardinality(String) COMMENT 'Level after hysteresis, dwell and hard-event floors',
    lhi Float32 COMMENT 'Liquidity Health Index, 0 (worst) to 100 (best)' CODEC(ZSTD(1)),
    pd Float32 COMMENT 'Probability, 0..1, of an instalment going 30 or more days past due within 30 days' CODEC(ZSTD(1)),
    confidence Float32 COMMENT 'How much evidence stands behind the index, 0..1' CODEC(ZSTD(1)),
    days_past_due Int32 COMMENT 'Days past due of the oldest unpaid instalment; 0 if none' CODEC(ZSTD(1)),
    overdue_amount Decimal(14, 2) COMMENT 'Sum of unpaid instalments past their due date, over all lenders' CODEC(ZSTD(1)),
    open_loans Int32 COMMENT 'Number of open loans' CODEC(ZSTD(1)),
    lender_ids Array(LowCardinality(String)) COMMENT 'Lenders with an open loan of this borrower' CODEC(ZSTD(1)),
    shortfall_days_p50 Nullable(Float32) COMMENT 'Days until the balance can''t meet what falls due, median, 0..90; null where it can''t be told' CODEC(ZSTD(1)),
    cqplm_score Nullable(Float32) COMMENT 'CQ-PLM score, 0..100' CODEC(ZSTD(1)),
    version UInt128 COMMENT 'Which row stands: the later scored moment, and of one moment what was known later' CODEC(ZSTD(1)),
    loaded_at DateTime64(0, 'UTC') DEFAULT now64(0, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(minute)
ORDER BY (minute, borrower_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Each borrower''s last scoring of each minute; ask portfolio_by_minute';

CREATE MATERIALIZED VIEW borrower_minutes_from_snapshots TO borrower_minutes AS
SELECT
    toDateTime64(toStartOfMinute(event_time), 0, 'UTC') AS minute,
    borrower_id,
    event_time AS scored_at,
    known_at,
    level,
    lhi,
    pd,
    confidence,
    days_past_due,
    overdue_amount,
    open_loans,
    lender_ids,
    shortfall_days_p50,
    cqplm_score,
    bitShiftLeft(toUInt128(toUnixTimestamp64Milli(event_time)), 64) + toUInt128(toUnixTimestamp64Milli(known_at)) AS version
FROM snapshots
COMMENT 'Fills borrower_minutes';

CREATE TABLE borrower_hours
(
    hour DateTime64(0, 'UTC') COMMENT 'The hour of the scored moment' CODEC(Delta, ZSTD(1)),
    borrower_id String COMMENT 'The borrower who was scored' CODEC(ZSTD(1)),
    scored_at DateTime64(3, 'UTC') COMMENT 'The scored moment, in event time, UTC' CODEC(Delta, ZSTD(1)),
    known_at DateTime64(3, 'UTC') COMMENT 'Event-time clock at which it was known' CODEC(Delta, ZSTD(1)),
    level LowCardinality(String) COMMENT 'Level after hysteresis, dwell and hard-event floors',
    lhi Float32 COMMENT 'Liquidity Health Index, 0 (worst) to 100 (best)' CODEC(ZSTD(1)),
    pd Float32 COMMENT 'Probability, 0..1, of an instalment going 30 or more days past due within 30 days' CODEC(ZSTD(1)),
    confidence Float32 COMMENT 'How much evidence stands behind the index, 0..1' CODEC(ZSTD(1)),
    days_past_due Int32 COMMENT 'Days past due of the oldest unpaid instalment; 0 if none' CODEC(ZSTD(1)),
    overdue_amount Decimal(14, 2) COMMENT 'Sum of unpaid instalments past their due date, over all lenders' CODEC(ZSTD(1)),
    open_loans Int32 COMMENT 'Number of open loans' CODEC(ZSTD(1)),
    lender_ids Array(LowCardinality(String)) COMMENT 'Lenders with an open loan of this borrower' CODEC(ZSTD(1)),
    shortfall_days_p50 Nullable(Float32) COMMENT 'Days until the balance can''t meet what falls due, median, 0..90; null where it can''t be told' CODEC(ZSTD(1)),
    cqplm_score Nullable(Float32) COMMENT 'CQ-PLM score, 0..100' CODEC(ZSTD(1)),
    version UInt128 COMMENT 'Which row stands: the later scored moment, and of one moment what was known later' CODEC(ZSTD(1)),
    loaded_at DateTime64(0, 'UTC') DEFAULT now64(0, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, borrower_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Each borrower''s last scoring of each hour; ask portfolio_by_hour';

CREATE MATERIALIZED VIEW borrower_hours_from_snapshots TO borrower_hours AS
SELECT
    toDateTime64(toStartOfHour(event_time), 0, 'UTC') AS hour,
    borrower_id,
    event_time AS scored_at,
    known_at,
    level,
    lhi,
    pd,
    confidence,
    days_past_due,
    overdue_amount,
    open_loans,
    lender_ids,
    shortfall_days_p50,
    cqplm_score,
    bitShiftLeft(toUInt128(toUnixTimestamp64Milli(event_time)), 64) + toUInt128(toUnixTimestamp64Milli(known_at)) AS version
FROM snapshots
COMMENT 'Fills borrower_hours';

CREATE TABLE borrower_days
(
    day Date COMMENT 'The day of the scored moment' CODEC(Delta, ZSTD(1)),
    borrower_id String COMMENT 'The borrower who was scored' CODEC(ZSTD(1)),
    scored_at DateTime64(3, 'UTC') COMMENT 'The scored moment, in event time, UTC' CODEC(Delta, ZSTD(1)),
    known_at DateTime64(3, 'UTC') COMMENT 'Event-time clock at which it was known' CODEC(Delta, ZSTD(1)),
    level LowCardinality(String) COMMENT 'Level after hysteresis, dwell and hard-event floors',
    lhi Float32 COMMENT 'Liquidity Health Index, 0 (worst) to 100 (best)' CODEC(ZSTD(1)),
    pd Float32 COMMENT 'Probability, 0..1, of an instalment going 30 or more days past due within 30 days' CODEC(ZSTD(1)),
    confidence Float32 COMMENT 'How much evidence stands behind the index, 0..1' CODEC(ZSTD(1)),
    days_past_due Int32 COMMENT 'Days past due of the oldest unpaid instalment; 0 if none' CODEC(ZSTD(1)),
    overdue_amount Decimal(14, 2) COMMENT 'Sum of unpaid instalments past their due date, over all lenders' CODEC(ZSTD(1)),
    open_loans Int32 COMMENT 'Number of open loans' CODEC(ZSTD(1)),
    lender_ids Array(LowCardinality(String)) COMMENT 'Lenders with an open loan of this borrower' CODEC(ZSTD(1)),
    shortfall_days_p50 Nullable(Float32) COMMENT 'Days until the balance can''t meet what falls due, median, 0..90; null where it can''t be told' CODEC(ZSTD(1)),
    cqplm_score Nullable(Float32) COMMENT 'CQ-PLM score, 0..100' CODEC(ZSTD(1)),
    version UInt128 COMMENT 'Which row stands: the later scored moment, and of one moment what was known later' CODEC(ZSTD(1)),
    loaded_at DateTime64(0, 'UTC') DEFAULT now64(0, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (day, borrower_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Each borrower''s last scoring of each day; ask portfolio_by_day';

CREATE MATERIALIZED VIEW borrower_days_from_snapshots TO borrower_days AS
SELECT
    toDate(event_time) AS day,
    borrower_id,
    event_time AS scored_at,
    known_at,
    level,
    lhi,
    pd,
    confidence,
    days_past_due,
    overdue_amount,
    open_loans,
    lender_ids,
    shortfall_days_p50,
    cqplm_score,
    bitShiftLeft(toUInt128(toUnixTimestamp64Milli(event_time)), 64) + toUInt128(toUnixTimestamp64Milli(known_at)) AS version
FROM snapshots
COMMENT 'Fills borrower_days';

CREATE TABLE borrower_days_as_known
(
    known_day Date COMMENT 'The day at whose end it was known' CODEC(Delta, ZSTD(1)),
    borrower_id String COMMENT 'The borrower who was scored' CODEC(ZSTD(1)),
    scored_at DateTime64(3, 'UTC') COMMENT 'The scored moment, in event time, UTC' CODEC(Delta, ZSTD(1)),
    known_at DateTime64(3, 'UTC') COMMENT 'Event-time clock at which it was known' CODEC(Delta, ZSTD(1)),
    level LowCardinality(String) COMMENT 'Level after hysteresis, dwell and hard-event floors',
    lhi Float32 COMMENT 'Liquidity Health Index, 0 (worst) to 100 (best)' CODEC(ZSTD(1)),
    pd Float32 COMMENT 'Probability, 0..1, of an instalment going 30 or more days past due within 30 days' CODEC(ZSTD(1)),
    confidence Float32 COMMENT 'How much evidence stands behind the index, 0..1' CODEC(ZSTD(1)),
    days_past_due Int32 COMMENT 'Days past due of the oldest unpaid instalment; 0 if none' CODEC(ZSTD(1)),
    overdue_amount Decimal(14, 2) COMMENT 'Sum of unpaid instalments past their due date, over all lenders' CODEC(ZSTD(1)),
    open_loans Int32 COMMENT 'Number of open loans' CODEC(ZSTD(1)),
    lender_ids Array(LowCardinality(String)) COMMENT 'Lenders with an open loan of this borrower' CODEC(ZSTD(1)),
    shortfall_days_p50 Nullable(Float32) COMMENT 'Days until the balance can''t meet what falls due, median, 0..90; null where it can''t be told' CODEC(ZSTD(1)),
    cqplm_score Nullable(Float32) COMMENT 'CQ-PLM score, 0..100' CODEC(ZSTD(1)),
    version UInt128 COMMENT 'Which row stands: the later scored moment, and of one moment what was known later' CODEC(ZSTD(1)),
    loaded_at DateTime64(0, 'UTC') DEFAULT now64(0, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(known_day)
ORDER BY (known_day, borrower_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Each borrower as it was known at the end of each day on which something became known; ask portfolio_as_believed';

CREATE MATERIALIZED VIEW borrower_days_as_known_from_snapshots TO borrower_days_as_known AS
SELECT
    toDate(known_at) AS known_day,
    borrower_id,
    event_time AS scored_at,
    known_at,
    level,
    lhi,
    pd,
    confidence,
    days_past_due,
    overdue_amount,
    open_loans,
    lender_ids,
    shortfall_days_p50,
    cqplm_score,
    bitShiftLeft(toUInt128(toUnixTimestamp64Milli(event_time)), 64) + toUInt128(toUnixTimestamp64Milli(known_at)) AS version
FROM snapshots
COMMENT 'Fills borrower_days_as_known';

CREATE TABLE borrower_months_as_known
(
    known_month Date COMMENT 'First day of the month at whose end it was known' CODEC(Delta, ZSTD(1)),
    borrower_id String COMMENT 'The borrower who was scored' CODEC(ZSTD(1)),
    scored_at DateTime64(3, 'UTC') COMMENT 'The scored moment, in event time, UTC' CODEC(Delta, ZSTD(1)),
    known_at DateTime64(3, 'UTC') COMMENT 'Event-time clock at which it was known' CODEC(Delta, ZSTD(1)),
    level LowCardinality(String) COMMENT 'Level after hysteresis, dwell and hard-event floors',
    lhi Float32 COMMENT 'Liquidity Health Index, 0 (worst) to 100 (best)' CODEC(ZSTD(1)),
    pd Float32 COMMENT 'Probability, 0..1, of an instalment going 30 or more days past due within 30 days' CODEC(ZSTD(1)),
    confidence Float32 COMMENT 'How much evidence stands behind the index, 0..1' CODEC(ZSTD(1)),
    days_past_due Int32 COMMENT 'Days past due of the oldest unpaid instalment; 0 if none' CODEC(ZSTD(1)),
    overdue_amount Decimal(14, 2) COMMENT 'Sum of unpaid instalments past their due date, over all lenders' CODEC(ZSTD(1)),
    open_loans Int32 COMMENT 'Number of open loans' CODEC(ZSTD(1)),
    lender_ids Array(LowCardinality(String)) COMMENT 'Lenders with an open loan of this borrower' CODEC(ZSTD(1)),
    shortfall_days_p50 Nullable(Float32) COMMENT 'Days until the balance can''t meet what falls due, median, 0..90; null where it can''t be told' CODEC(ZSTD(1)),
    cqplm_score Nullable(Float32) COMMENT 'CQ-PLM score, 0..100' CODEC(ZSTD(1)),
    version UInt128 COMMENT 'Which row stands: the later scored moment, and of one moment what was known later' CODEC(ZSTD(1)),
    loaded_at DateTime64(0, 'UTC') DEFAULT now64(0, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(known_month)
ORDER BY (known_month, borrower_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Each borrower as it was known at the end of each month in which something became known; ask portfolio_as_believed';

CREATE MATERIALIZED VIEW borrower_months_as_known_from_snapshots TO borrower_months_as_known AS
SELECT
    toStartOfMonth(toDate(known_at)) AS known_month,
    borrower_id,
    event_time AS scored_at,
    known_at,
    level,
    lhi,
    pd,
    confidence,
    days_past_due,
    overdue_amount,
    open_loans,
    lender_ids,
    shortfall_days_p50,
    cqplm_score,
    bitShiftLeft(toUInt128(toUnixTimestamp64Milli(event_time)), 64) + toUInt128(toUnixTimestamp64Milli(known_at)) AS version
FROM snapshots
COMMENT 'Fills borrower_months_as_known';

CREATE TABLE level_changes
(
    day Date COMMENT 'The day of the change' CODEC(Delta, ZSTD(1)),
    borrower_id String COMMENT 'The borrower whose level changed' CODEC(ZSTD(1)),
    event_time DateTime64(3, 'UTC') COMMENT 'The moment of the change, in event time, UTC' CODEC(Delta, ZSTD(1)),
    known_at DateTime64(3, 'UTC') COMMENT 'Event-time clock at which it was known' CODEC(Delta, ZSTD(1)),
    level_from LowCardinality(String) COMMENT 'Level before; UNKNOWN at the first scoring',
    level_to LowCardinality(String) COMMENT 'Level after; equal to the one before where a restatement took a change back',
    lender_ids Array(LowCardinality(String)) COMMENT 'Lenders with an open loan of this borrower' CODEC(ZSTD(1)),
    loaded_at DateTime64(0, 'UTC') DEFAULT now64(0, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(known_at)
PARTITION BY toYYYYMM(day)
ORDER BY (day, borrower_id, event_time)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Changes of level, and restatements that may have taken one back; ask level_changes_daily and roll_rates_daily';

CREATE MATERIALIZED VIEW level_changes_from_snapshots TO level_changes AS
SELECT
    toDate(event_time) AS day,
    borrower_id,
    event_time,
    known_at,
    previous_level AS level_from,
    level AS level_to,
    lender_ids
FROM snapshots
WHERE level != previous_level OR restated
COMMENT 'Fills level_changes';
