-- Every scoring, and what came of it: ids are made of what happened, so that a replay or a reload adds nothing.
CREATE TABLE snapshots
(
    snapshot_id String COMMENT 'Deterministic id in hexadecimal: the same log scored again makes the same id' CODEC(ZSTD(1)),
    borrower_id String COMMENT 'The borrower who was scored' CODEC(ZSTD(1)),
    event_time DateTime64(3, 'UTC') COMMENT 'The scored moment, in event time, UTC' CODEC(Delta, ZSTD(1)),
    cause LowCardinality(String) COMMENT 'Why the borrower was scored',
    lhi Float64 COMMENT 'Liquidity Health Index, 0 (worst) to 100 (best)' CODEC(ZSTD(1)),
    pd Float64 COMMENT 'Probability, 0..1, of an instalment going 30 or more days past due within 30 days' CODEC(ZSTD(1)),
    level LowCardinality(String) COMMENT 'Level after hysteresis, dwell and hard-event floors',
    previous_level LowCardinality(String) COMMENT 'Level of the snapshot before; UNKNOWN at the first',
    confidence Float64 COMMENT 'How much evidence stands behind the index, 0..1' CODEC(ZSTD(1)),
    runway_days Nullable(Float64) COMMENT 'Expected days until the balance cannot meet the next instalment; null where it cannot be told' CODEC(ZSTD(1)),
    days_past_due Int32 COMMENT 'Days past due of the oldest unpaid instalment; 0 if none' CODEC(ZSTD(1)),
    overdue_amount Decimal(14, 2) COMMENT 'Sum of unpaid instalments past their due date, over all lenders' CODEC(ZSTD(1)),
    balance Nullable(Decimal(14, 2)) COMMENT 'Last balance seen; null if none was ever sent' CODEC(ZSTD(1)),
    open_loans Int32 COMMENT 'Number of open loans' CODEC(ZSTD(1)),
    lender_ids Array(LowCardinality(String)) COMMENT 'Lenders with an open loan of this borrower. For routing inside; never shown to another lender' CODEC(ZSTD(1)),
    net_cash_flow_value Nullable(Float32) COMMENT '(Inflow - outflow) / inflow, from 30-day decayed rates: the indicator itself, in its own unit; NaN where there is no evidence' CODEC(ZSTD(1)),
    net_cash_flow_utility Float32 COMMENT '(Inflow - outflow) / inflow, from 30-day decayed rates: the value mapped to 0..1 between two published anchors; 1 is healthy' CODEC(ZSTD(1)),
    net_cash_flow_evidence Float32 COMMENT '(Inflow - outflow) / inflow, from 30-day decayed rates: how much data stands behind it, 0..1. No evidence means neutral, never healthy' CODEC(ZSTD(1)),
    net_cash_flow_points Float32 COMMENT '(Inflow - outflow) / inflow, from 30-day decayed rates: index points lost against a perfect reading of this indicator' CODEC(ZSTD(1)),
    net_cash_flow_age_days Float32 COMMENT '(Inflow - outflow) / inflow, from 30-day decayed rates: days since the newest data behind it; -1 where there is none' CODEC(ZSTD(1)),
    savings_coverage_value Nullable(Float32) COMMENT 'Balance over monthly essential outflow, in months: the indicator itself, in its own unit; NaN where there is no evidence' CODEC(ZSTD(1)),
    savings_coverage_utility Float32 COMMENT 'Balance over monthly essential outflow, in months: the value mapped to 0..1 between two published anchors; 1 is healthy' CODEC(ZSTD(1)),
    savings_coverage_evidence Float32 COMMENT 'Balance over monthly essential outflow, in months: how much data stands behind it, 0..1. No evidence means neutral, never healthy' CODEC(ZSTD(1)),
    savings_coverage_points Float32 COMMENT 'Balance over monthly essential outflow, in months: index points lost against a perfect reading of this indicator' CODEC(ZSTD(1)),
    savings_coverage_age_days Float32 COMMENT 'Balance over monthly essential outflow, in months: days since the newest data behind it; -1 where there is none' CODEC(ZSTD(1)),
    debt_concentration_value Nullable(Float32) COMMENT 'Effective number of active lenders, raised by new lenders within 30 days: the indicator itself, in its own unit; NaN where there is no evidence' CODEC(ZSTD(1)),
    debt_concentration_utility Float32 COMMENT 'Effective number of active lenders, raised by new lenders within 30 days: the value mapped to 0..1 between two published anchors; 1 is healthy' CODEC(ZSTD(1)),
    debt_concentration_evidence Float32 COMMENT 'Effective number of active lenders, raised by new lenders within 30 days: how much data stands behind it, 0..1. No evidence means neutral, never healthy' CODEC(ZSTD(1)),
    debt_concentration_points Float32 COMMENT 'Effective number of active lenders, raised by new lenders within 30 days: index points lost against a perfect reading of this indicator' CODEC(ZSTD(1)),
    debt_concentration_age_days Float32 COMMENT 'Effective number of active lenders, raised by new lenders within 30 days: days since the newest data behind it; -1 where there is none' CODEC(ZSTD(1)),
    income_volatility_value Nullable(Float32) COMMENT 'Coefficient of variation of monthly income: the indicator itself, in its own unit; NaN where there is no evidence' CODEC(ZSTD(1)),
    income_volatility_utility Float32 COMMENT 'Coefficient of variation of monthly income: the value mapped to 0..1 between two published anchors; 1 is healthy' CODEC(ZSTD(1)),
    income_volatility_evidence Float32 COMMENT 'Coefficient of variation of monthly income: how much data stands behind it, 0..1. No evidence means neutral, never healthy' CODEC(ZSTD(1)),
    income_volatility_points Float32 COMMENT 'Coefficient of variation of monthly income: index points lost against a perfect reading of this indicator' CODEC(ZSTD(1)),
    income_volatility_age_days Float32 COMMENT 'Coefficient of variation of monthly income: days since the newest data behind it; -1 where there is none' CODEC(ZSTD(1)),
    income_trend_value Nullable(Float32) COMMENT 'Short (30 days) over long (180 days) income rate; 1 is unchanged: the indicator itself, in its own unit; NaN where there is no evidence' CODEC(ZSTD(1)),
    income_trend_utility Float32 COMMENT 'Short (30 days) over long (180 days) income rate; 1 is unchanged: the value mapped to 0..1 between two published anchors; 1 is healthy' CODEC(ZSTD(1)),
    income_trend_evidence Float32 COMMENT 'Short (30 days) over long (180 days) income rate; 1 is unchanged: how much data stands behind it, 0..1. No evidence means neutral, never healthy' CODEC(ZSTD(1)),
    income_trend_points Float32 COMMENT 'Short (30 days) over long (180 days) income rate; 1 is unchanged: index points lost against a perfect reading of this indicator' CODEC(ZSTD(1)),
    income_trend_age_days Float32 COMMENT 'Short (30 days) over long (180 days) income rate; 1 is unchanged: days since the newest data behind it; -1 where there is none' CODEC(ZSTD(1)),
    debt_service_value Nullable(Float32) COMMENT 'Instalments due over income: the indicator itself, in its own unit; NaN where there is no evidence' CODEC(ZSTD(1)),
    debt_service_utility Float32 COMMENT 'Instalments due over income: the value mapped to 0..1 between two published anchors; 1 is healthy' CODEC(ZSTD(1)),
    debt_service_evidence Float32 COMMENT 'Instalments due over income: how much data stands behind it, 0..1. No evidence means neutral, never healthy' CODEC(ZSTD(1)),
    debt_service_points Float32 COMMENT 'Instalments due over income: index points lost against a perfect reading of this indicator' CODEC(ZSTD(1)),
    debt_service_age_days Float32 COMMENT 'Instalments due over income: days since the newest data behind it; -1 where there is none' CODEC(ZSTD(1)),
    arrears_value Nullable(Float32) COMMENT 'Amount-weighted days past due, now: the indicator itself, in its own unit; NaN where there is no evidence' CODEC(ZSTD(1)),
    arrears_utility Float32 COMMENT 'Amount-weighted days past due, now: the value mapped to 0..1 between two published anchors; 1 is healthy' CODEC(ZSTD(1)),
    arrears_evidence Float32 COMMENT 'Amount-weighted days past due, now: how much data stands behind it, 0..1. No evidence means neutral, never healthy' CODEC(ZSTD(1)),
    arrears_points Float32 COMMENT 'Amount-weighted days past due, now: index points lost against a perfect reading of this indicator' CODEC(ZSTD(1)),
    arrears_age_days Float32 COMMENT 'Amount-weighted days past due, now: days since the newest data behind it; -1 where there is none' CODEC(ZSTD(1)),
    payment_shortfall_value Nullable(Float32) COMMENT '1 - paid / due, decayed: the indicator itself, in its own unit; NaN where there is no evidence' CODEC(ZSTD(1)),
    payment_shortfall_utility Float32 COMMENT '1 - paid / due, decayed: the value mapped to 0..1 between two published anchors; 1 is healthy' CODEC(ZSTD(1)),
    payment_shortfall_evidence Float32 COMMENT '1 - paid / due, decayed: how much data stands behind it, 0..1. No evidence means neutral, never healthy' CODEC(ZSTD(1)),
    payment_shortfall_points Float32 COMMENT '1 - paid / due, decayed: index points lost against a perfect reading of this indicator' CODEC(ZSTD(1)),
    payment_shortfall_age_days Float32 COMMENT '1 - paid / due, decayed: days since the newest data behind it; -1 where there is none' CODEC(ZSTD(1)),
    borrow_to_repay_value Nullable(Float32) COMMENT 'Share of repayments made within 3 days of new credit: the indicator itself, in its own unit; NaN where there is no evidence' CODEC(ZSTD(1)),
    borrow_to_repay_utility Float32 COMMENT 'Share of repayments made within 3 days of new credit: the value mapped to 0..1 between two published anchors; 1 is healthy' CODEC(ZSTD(1)),
    borrow_to_repay_evidence Float32 COMMENT 'Share of repayments made within 3 days of new credit: how much data stands behind it, 0..1. No evidence means neutral, never healthy' CODEC(ZSTD(1)),
    borrow_to_repay_points Float32 COMMENT 'Share of repayments made within 3 days of new credit: index points lost against a perfect reading of this indicator' CODEC(ZSTD(1)),
    borrow_to_repay_age_days Float32 COMMENT 'Share of repayments made within 3 days of new credit: days since the newest data behind it; -1 where there is none' CODEC(ZSTD(1)),
    utility_arrears_value Nullable(Float32) COMMENT 'Consecutive late utility bills and their age: the indicator itself, in its own unit; NaN where there is no evidence' CODEC(ZSTD(1)),
    utility_arrears_utility Float32 COMMENT 'Consecutive late utility bills and their age: the value mapped to 0..1 between two published anchors; 1 is healthy' CODEC(ZSTD(1)),
    utility_arrears_evidence Float32 COMMENT 'Consecutive late utility bills and their age: how much data stands behind it, 0..1. No evidence means neutral, never healthy' CODEC(ZSTD(1)),
    utility_arrears_points Float32 COMMENT 'Consecutive late utility bills and their age: index points lost against a perfect reading of this indicator' CODEC(ZSTD(1)),
    utility_arrears_age_days Float32 COMMENT 'Consecutive late utility bills and their age: days since the newest data behind it; -1 where there is none' CODEC(ZSTD(1)),
    usage_shock_value Nullable(Float32) COMMENT 'How far consumption fell below the borrower''s own forecast: the indicator itself, in its own unit; NaN where there is no evidence' CODEC(ZSTD(1)),
    usage_shock_utility Float32 COMMENT 'How far consumption fell below the borrower''s own forecast: the value mapped to 0..1 between two published anchors; 1 is healthy' CODEC(ZSTD(1)),
    usage_shock_evidence Float32 COMMENT 'How far consumption fell below the borrower''s own forecast: how much data stands behind it, 0..1. No evidence means neutral, never healthy' CODEC(ZSTD(1)),
    usage_shock_points Float32 COMMENT 'How far consumption fell below the borrower''s own forecast: index points lost against a perfect reading of this indicator' CODEC(ZSTD(1)),
    usage_shock_age_days Float32 COMMENT 'How far consumption fell below the borrower''s own forecast: days since the newest data behind it; -1 where there is none' CODEC(ZSTD(1)),
    spending_stress_value Nullable(Float32) COMMENT 'Shift to down-trading, cash advances and night spending against the borrower''s own baseline: the indicator itself, in its own unit; NaN where there is no evidence' CODEC(ZSTD(1)),
    spending_stress_utility Float32 COMMENT 'Shift to down-trading, cash advances and night spending against the borrower''s own baseline: the value mapped to 0..1 between two published anchors; 1 is healthy' CODEC(ZSTD(1)),
    spending_stress_evidence Float32 COMMENT 'Shift to down-trading, cash advances and night spending against the borrower''s own baseline: how much data stands behind it, 0..1. No evidence means neutral, never healthy' CODEC(ZSTD(1)),
    spending_stress_points Float32 COMMENT 'Shift to down-trading, cash advances and night spending against the borrower''s own baseline: index points lost against a perfect reading of this indicator' CODEC(ZSTD(1)),
    spending_stress_age_days Float32 COMMENT 'Shift to down-trading, cash advances and night spending against the borrower''s own baseline: days since the newest data behind it; -1 where there is none' CODEC(ZSTD(1)),
    model_version LowCardinality(String) COMMENT 'Version of the model that gave the probability',
    policy_version LowCardinality(String) COMMENT 'Version of the policy that gave thresholds and levels',
    known_at DateTime64(3, 'UTC') COMMENT 'Event-time clock at which this was known: equal to event_time for a first scoring, later where a late event restated it. Null in snapshots written before version 2. Where the record has null, event_time stands here' CODEC(Delta, ZSTD(1)),
    restated Bool COMMENT 'True if a late event restated an earlier scoring of this moment; the row with the latest known_at stands',
    shortfall_days_p10 Nullable(Float64) COMMENT 'Days until the balance can''t meet what falls due, 10% quantile, 0..90; 90 stands for 90 or more. Null where it can''t be told' CODEC(ZSTD(1)),
    shortfall_days_p50 Nullable(Float64) COMMENT 'The same, median' CODEC(ZSTD(1)),
    shortfall_days_p90 Nullable(Float64) COMMENT 'The same, 90% quantile' CODEC(ZSTD(1)),
    timeliness Nullable(Float64) COMMENT 'Credit dimension: share of what fell due in 180 days that was paid by its due date, 0..1. Null without instalments' CODEC(ZSTD(1)),
    elasticity Nullable(Float64) COMMENT 'Credit dimension: under an income shock of 20% or more, 0..1: was the minimum still paid, was a deferral asked for before a default. Null where no shock was seen' CODEC(ZSTD(1)),
    purpose_share Nullable(Float64) COMMENT 'Scenario dimension: share of loan proceeds spent on the declared purpose, 0..1. Null where no proceeds were traced' CODEC(ZSTD(1)),
    purpose_deviation Nullable(Float64) COMMENT 'Scenario dimension: share of loan proceeds spent outside the declared purpose or drawn as cash, 0..1. Null where no proceeds were traced' CODEC(ZSTD(1)),
    credit_score Nullable(Float64) COMMENT 'Credit dimension, 0..100. Null without evidence' CODEC(ZSTD(1)),
    scenario_score Nullable(Float64) COMMENT 'Scenario dimension, 0..100. Null without evidence' CODEC(ZSTD(1)),
    cqplm_score Nullable(Float64) COMMENT 'CQ-PLM score, 0..100: credit, scenario and liquidity by the policy''s weights. Null in snapshots written before version 2' CODEC(ZSTD(1)),
    behaviours Array(LowCardinality(String)) COMMENT 'Behaviours (names of AlertKind) whose episode is open at this moment' CODEC(ZSTD(1)),
    kafka_partition UInt32 COMMENT 'Partition that the row came from',
    kafka_offset Int64 COMMENT 'Offset that the row came from' CODEC(Delta, ZSTD(1)),
    published_at DateTime64(3, 'UTC') COMMENT 'When the record was published, by its own timestamp' CODEC(Delta, ZSTD(1)),
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(loaded_at)
PARTITION BY toYYYYMM(event_time)
ORDER BY (borrower_id, event_time, known_at, snapshot_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every scoring of every borrower, by event time; a moment restated later has a row for each time it was known';

CREATE TABLE alerts
(
    alert_id String COMMENT 'Deterministic id in hexadecimal: a replay makes the same id' CODEC(ZSTD(1)),
    episode_id String COMMENT 'The episode that this alert belongs to: borrower, kind and the event that opened it' CODEC(ZSTD(1)),
    borrower_id String COMMENT 'The borrower concerned' CODEC(ZSTD(1)),
    lender_id LowCardinality(String) COMMENT 'The lender to whom this alert is addressed',
    kind LowCardinality(String) COMMENT 'What was found',
    level_from LowCardinality(String) COMMENT 'Level before',
    level_to LowCardinality(String) COMMENT 'Level now',
    lhi Float64 COMMENT 'Liquidity Health Index, 0 (worst) to 100 (best)' CODEC(ZSTD(1)),
    pd Float64 COMMENT 'Probability, 0..1, of an instalment going 30 or more days past due within 30 days' CODEC(ZSTD(1)),
    confidence Float64 COMMENT 'How much evidence stands behind the index, 0..1' CODEC(ZSTD(1)),
    runway_days Nullable(Float64) COMMENT 'Expected days until the balance cannot meet the next instalment; null where it cannot be told' CODEC(ZSTD(1)),
    reasons Array(Tuple(code LowCardinality(String), points Float64, text_en LowCardinality(String), text_zh LowCardinality(String))) COMMENT 'Why: what opened the alert, then the readings that cost most points, the largest loss first; never empty' CODEC(ZSTD(1)),
    actions Array(LowCardinality(String)) COMMENT 'Recommended actions in order, as codes of the policy' CODEC(ZSTD(1)),
    hard_event LowCardinality(Nullable(String)) COMMENT 'The hard event that set a floor at once (30 days past due, disconnection notice, write-off), if one did',
    event_time DateTime64(3, 'UTC') COMMENT 'The moment, in event time, at which it became true' CODEC(Delta, ZSTD(1)),
    detection_time DateTime64(3, 'UTC') COMMENT 'Event-time clock of the scoring that found it. The wall-clock time of sending is the record''s own timestamp' CODEC(Delta, ZSTD(1)),
    model_version LowCardinality(String) COMMENT 'Version of the model behind the probability',
    policy_version LowCardinality(String) COMMENT 'Version of the policy that raised the alert',
    low_confidence Bool COMMENT 'True if the confidence is below the policy''s floor; the first advice is then to get the data',
    shortfall_days_p10 Nullable(Float64) COMMENT 'Days until the balance can''t meet what falls due, 10% quantile, 0..90; 90 stands for 90 or more' CODEC(ZSTD(1)),
    shortfall_days_p50 Nullable(Float64) COMMENT 'The same, median' CODEC(ZSTD(1)),
    shortfall_days_p90 Nullable(Float64) COMMENT 'The same, 90% quantile' CODEC(ZSTD(1)),
    cqplm_score Nullable(Float64) COMMENT 'CQ-PLM score, 0..100, of this lender''s loans and the borrower''s liquidity' CODEC(ZSTD(1)),
    help_kind LowCardinality(Nullable(String)) COMMENT 'Smallest help that restores STABLE, at TENSE and CRISIS; null elsewhere: what is changed',
    help_instalment_now Nullable(Decimal(14, 2)) COMMENT 'Smallest help that restores STABLE, at TENSE and CRISIS; null elsewhere: this lender''s monthly instalments as they stand' CODEC(ZSTD(1)),
    help_instalment_then Nullable(Decimal(14, 2)) COMMENT 'Smallest help that restores STABLE, at TENSE and CRISIS; null elsewhere: this lender''s monthly instalments while the help lasts' CODEC(ZSTD(1)),
    help_months Nullable(Int32) COMMENT 'Smallest help that restores STABLE, at TENSE and CRISIS; null elsewhere: months for which the help lasts' CODEC(ZSTD(1)),
    help_lhi_after Nullable(Float64) COMMENT 'Smallest help that restores STABLE, at TENSE and CRISIS; null elsewhere: index that the scorecard expects with the help' CODEC(ZSTD(1)),
    help_text_en Nullable(String) COMMENT 'Smallest help that restores STABLE, at TENSE and CRISIS; null elsewhere: the offer in English, for a person' CODEC(ZSTD(1)),
    help_text_zh Nullable(String) COMMENT 'Smallest help that restores STABLE, at TENSE and CRISIS; null elsewhere: the offer in Chinese, for a person' CODEC(ZSTD(1)),
    disposition LowCardinality(String) COMMENT 'What becomes of it',
    priority Nullable(Float64) COMMENT 'Expected loss avoided by acting now, in the deployment''s currency: what alerts of a day are ranked by' CODEC(ZSTD(1)),
    rank Nullable(Int32) COMMENT 'Rank by priority among the alerts of the lender''s day so far, in this partition; 1 is the first' CODEC(ZSTD(1)),
    operating_threshold Nullable(Float64) COMMENT 'Priority from which alerts of this lender are sent at present; it adapts slowly to the budget' CODEC(ZSTD(1)),
    suppression_id Nullable(String) COMMENT 'The order that holds the alert back, where one does' CODEC(ZSTD(1)),
    contact_not_before Nullable(DateTime64(3, 'UTC')) COMMENT 'Earliest moment at which the borrower may be contacted: quiet hours and contact caps of the jurisdiction. Null where at once' CODEC(Delta, ZSTD(1)),
    known_at DateTime64(3, 'UTC') COMMENT 'Event-time clock at which this was known. Null in alerts written before version 2. Where the record has null, detection_time stands here' CODEC(Delta, ZSTD(1)),
    kafka_partition UInt32 COMMENT 'Partition that the row came from',
    kafka_offset Int64 COMMENT 'Offset that the row came from' CODEC(Delta, ZSTD(1)),
    published_at DateTime64(3, 'UTC') COMMENT 'When the record was published, by its own timestamp' CODEC(Delta, ZSTD(1)),
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1)),
    INDEX alert_id_index alert_id TYPE bloom_filter GRANULARITY 1,
    INDEX borrower_id_index borrower_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = ReplacingMergeTree(loaded_at)
PARTITION BY toYYYYMM(event_time)
ORDER BY (lender_id, event_time, alert_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What lenders were told, one row per alert';

CREATE TABLE alert_feedback
(
    feedback_id String COMMENT 'UUID of this report' CODEC(ZSTD(1)),
    borrower_id String COMMENT 'Pseudonymous token of the borrower, 1 to 64 printable ASCII characters, made by the lender. Never a name, a phone number or an ID number. Equal to the record''s key' CODEC(ZSTD(1)),
    event_time DateTime64(3, 'UTC') COMMENT 'When the outcome became known, UTC' CODEC(Delta, ZSTD(1)),
    source LowCardinality(String) COMMENT 'The system or desk that reports',
    lender_id LowCardinality(String) COMMENT 'The lender whose team reports',
    alert_id String COMMENT 'The alert that was worked' CODEC(ZSTD(1)),
    episode_id String COMMENT 'The episode that this report closes or advances' CODEC(ZSTD(1)),
    outcome LowCardinality(String) COMMENT 'What came of it',
    reported_by Nullable(String) COMMENT 'Pseudonymous token of the person who reports; never a name' CODEC(ZSTD(1)),
    kafka_partition UInt32 COMMENT 'Partition that the row came from',
    kafka_offset Int64 COMMENT 'Offset that the row came from' CODEC(Delta, ZSTD(1)),
    published_at DateTime64(3, 'UTC') COMMENT 'When the record was published, by its own timestamp' CODEC(Delta, ZSTD(1)),
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1)),
    INDEX borrower_id_index borrower_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = ReplacingMergeTree(loaded_at)
PARTITION BY toYYYYMM(event_time)
ORDER BY (lender_id, event_time, feedback_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What came of alerts, as the teams that worked them report';

CREATE TABLE suppressions
(
    suppression_id String COMMENT 'UUID of the order' CODEC(ZSTD(1)),
    borrower_id String COMMENT 'Pseudonymous token of the borrower, 1 to 64 printable ASCII characters, made by the lender. Never a name, a phone number or an ID number' CODEC(ZSTD(1)),
    event_time DateTime64(3, 'UTC') COMMENT 'From when it is effective, in event time, UTC' CODEC(Delta, ZSTD(1)),
    source LowCardinality(String) COMMENT 'The system or desk that gives the order',
    lender_id LowCardinality(Nullable(String)) COMMENT 'Only alerts to this lender; null means to all',
    kind LowCardinality(Nullable(String)) COMMENT 'Only alerts of this kind; null means all kinds',
    until Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ends, in event time; null means until lifted' CODEC(Delta, ZSTD(1)),
    reason LowCardinality(String) COMMENT 'Why',
    ordered_by String COMMENT 'Pseudonymous token of the person who ordered it; never a name' CODEC(ZSTD(1)),
    lifted Bool COMMENT 'True if this record lifts an order given before',
    kafka_partition UInt32 COMMENT 'Partition that the row came from',
    kafka_offset Int64 COMMENT 'Offset that the row came from' CODEC(Delta, ZSTD(1)),
    published_at DateTime64(3, 'UTC') COMMENT 'When the record was published, by its own timestamp' CODEC(Delta, ZSTD(1)),
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(loaded_at)
PARTITION BY toYYYYMM(event_time)
ORDER BY (borrower_id, event_time, suppression_id, lifted)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Orders to hold alerts back, and those that lift them';
