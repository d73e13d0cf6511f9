-- Records that could not be taken, whole, by where they stood.
CREATE TABLE dead_letters
(
    topic LowCardinality(String) COMMENT 'Topic in which the record stood',
    partition UInt32 COMMENT 'Partition in which the record stood',
    offset Int64 COMMENT 'Offset at which the record stood',
    record_time DateTime64(3, 'UTC') COMMENT 'The record''s own timestamp',
    stage LowCardinality(String) COMMENT 'Where it was refused: DECODE, CONTRACT, STREAM or LOAD',
    code LowCardinality(String) COMMENT 'Why it was refused, as a code',
    message LowCardinality(String) COMMENT 'Why it was refused, as a sentence',
    key Nullable(String) COMMENT 'The record''s key as base64',
    value Nullable(String) COMMENT 'The record''s value as base64',
    kafka_topic LowCardinality(String) COMMENT 'Topic that the row came from',
    kafka_partition UInt32 COMMENT 'Partition that the row came from',
    kafka_offset Int64 COMMENT 'Offset that the row came from',
    published_at DateTime64(3, 'UTC') COMMENT 'When the record was published, by its own timestamp',
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was loaded'
)
ENGINE = ReplacingMergeTree(loaded_at)
ORDER BY (topic, partition, offset, code)
COMMENT 'Records that could not be taken, whole';
