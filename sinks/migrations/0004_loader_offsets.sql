-- How far each partition has been loaded, in the warehouse's own word.
CREATE TABLE loader_offsets
(
    topic LowCardinality(String) COMMENT 'Topic',
    partition UInt32 COMMENT 'Partition',
    next_offset Int64 COMMENT 'The next offset to load',
    rows UInt64 COMMENT 'Rows of the batch that brought it there',
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the batch was loaded'
)
ENGINE = ReplacingMergeTree(next_offset)
ORDER BY (topic, partition)
COMMENT 'How far each partition has been loaded';
