-- What was taken out on request, so that it can be shown later that it was.
CREATE TABLE erasures
(
    request_id String COMMENT 'The request, as `loanpulse forget` named it',
    borrower_hash String COMMENT 'SHA-256 of the pseudonym, in hexadecimal; the pseudonym itself is kept nowhere',
    topic LowCardinality(String) COMMENT 'Topic whose order to forget was followed; empty where the command did it itself',
    table_name LowCardinality(String) COMMENT 'Table from which rows were taken; empty where there were none',
    rows UInt64 COMMENT 'Rows taken out',
    erased_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When it was done' CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
ORDER BY (borrower_hash, erased_at)
COMMENT 'Audit of borrowers forgotten: an entry for each order followed and table touched';
