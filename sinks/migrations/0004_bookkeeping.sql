-- Records that could not be taken, and how far each partition has been loaded, in the warehouse's own word.
CREATE TABLE dead_letters
(
    topic LowCardinality(String) COMMENT 'Topic in which the record stood',
    partition UInt32 COMMENT 'Partition in which the record stood',
    offset Int64 COMMENT 'Offset at which the record stood' CODEC(Delta, ZSTD(1)),
    record_time DateTime64(3, 'UTC') COMMENT 'The record''s own timestamp' CODEC(Delta, ZSTD(1)),
    stage LowCardinality(String) COMMENT 'Where it was refused: DECODE, CONTRACT, STREAM or LOAD',
    code LowCardinality(String) COMMENT 'Why it was refused, as a code',
    message LowCardinality(String) COMMENT 'Why it was refused, as a sentence',
    key Nullable(String) COMMENT 'The record''s key as base64' CODEC(ZSTD(1)),
    value Nullable(String) COMMENT 'The record''s value as base64' CODEC(ZSTD(1)),
    kafka_partition UInt32 COMMENT 'Partition that the row came from',
    kafka_offset Int64 COMMENT 'Offset that the row came from' CODEC(Delta, ZSTD(1)),
    published_at DateTime64(3, 'UTC') COMMENT 'When the record was published, by its own timestamp' CODEC(Delta, ZSTD(1)),
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(loaded_at)
PARTITION BY toYYYYMM(record_time)
ORDER BY (topic, partition, offset, code)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Records that could not be taken, whole';

CREATE TABLE loader_blocks
(
    topic LowCardinality(String) COMMENT 'Topic, with the deployment''s prefix',
    partition UInt32 COMMENT 'Partition',
    first_offset Int64 COMMENT 'Offset at which the partition''s newest block begins',
    next_offset Int64 COMMENT 'Offset after the block''s last record',
    loaded Bool COMMENT 'False: the block''s edges are fixed and it may be in the tables or not; true: it is in them',
    rows UInt64 COMMENT 'Rows that the block became',
    refused UInt64 COMMENT 'Records of the block that became dead letters',
    written_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'When this was written down'
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY (topic, partition)
COMMENT 'The newest block of consecutive records of each partition: the loader goes on from here';
