-- Alerts, one row each: the id is deterministic, so that a replay or a reload adds none.
CREATE TABLE alerts
(
    alert_id String COMMENT 'Deterministic id in hexadecimal: a replay makes the same id',
    episode_id String COMMENT 'The episode that this alert belongs to: borrower, kind and the event that opened it',
    borrower_id String COMMENT 'The borrower concerned',
    lender_id LowCardinality(String) COMMENT 'The lender to whom this alert is addressed',
    kind LowCardinality(String) COMMENT 'What was found',
    level_from LowCardinality(String) COMMENT 'Level before',
    level_to LowCardinality(String) COMMENT 'Level now',
    lhi Float64 COMMENT 'Liquidity Health Index, 0 (worst) to 100 (best)',
    pd Float64 COMMENT 'Probability, 0..1, of an instalment going 30 or more days past due within 30 days',
    confidence Float64 COMMENT 'How much evidence stands behind the index, 0..1',
    runway_days Nullable(Float64) COMMENT 'Expected days until the balance cannot meet the next instalment; null where it cannot be told',
    reasons Array(Tuple(code LowCardinality(String), points Float64, text_en LowCardinality(String), text_zh LowCardinality(String))) COMMENT 'Why, the largest loss first; never empty',
    actions Array(LowCardinality(String)) COMMENT 'Recommended actions in order, as codes of the policy',
    hard_event LowCardinality(Nullable(String)) COMMENT 'The hard event that set a floor at once (30 days past due, disconnection notice, write-off), if one did',
    event_time DateTime64(3, 'UTC') COMMENT 'The moment, in event time, at which it became true' CODEC(Delta, ZSTD),
    detection_time DateTime64(3, 'UTC') COMMENT 'Event-time clock of the scoring that found it. The wall-clock time of sending is the record''s own timestamp' CODEC(Delta, ZSTD),
    model_version LowCardinality(String) COMMENT 'Version of the model behind the probability',
    policy_version LowCardinality(String) COMMENT 'Version of the policy that raised the alert',
    kafka_topic LowCardinality(String) COMMENT 'Topic that the row came from',
    kafka_partition UInt32 COMMENT 'Partition that the row came from',
    kafka_offset Int64 COMMENT 'Offset that the row came from',
    published_at DateTime64(3, 'UTC') COMMENT 'When the record was published, by its own timestamp',
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was loaded'
)
ENGINE = ReplacingMergeTree(loaded_at)
PARTITION BY toYYYYMM(event_time)
ORDER BY (lender_id, event_time, alert_id)
COMMENT 'What lenders were told, one row per alert';
