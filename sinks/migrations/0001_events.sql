-- Raw events of the three topics. An event sent twice is one row: ids replace.
CREATE TABLE repayment_events
(
    event_id String COMMENT 'UUID of this event in its 36-character form. The same event sent twice carries the same id' CODEC(ZSTD(1)),
    borrower_id String COMMENT 'Pseudonymous token of the borrower, 1 to 64 printable ASCII characters, made by the lender. Never a name, a phone number or an ID number. Equal to the record''s key' CODEC(ZSTD(1)),
    event_time DateTime64(3, 'UTC') COMMENT 'When it happened, UTC, in milliseconds since 1970-01-01' CODEC(Delta, ZSTD(1)),
    source LowCardinality(String) COMMENT 'Who sent it: the lender''s or data partner''s system',
    lender_id LowCardinality(String) COMMENT 'Who owns the loan; 1 to 24 printable ASCII characters. Names the lender''s own alert topic',
    loan_id String COMMENT 'The loan; 1 to 64 printable ASCII characters, unique within the lender' CODEC(ZSTD(1)),
    kind LowCardinality(String) COMMENT 'What happened',
    amount Nullable(Decimal(14, 2)) COMMENT 'The amount applied for, disbursed, due or paid. Required and zero or more for APPLIED, DISBURSED, INSTALMENT_DUE and PAID' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event. A deployment takes one currency and dead-letters others',
    due_date Nullable(Date) COMMENT 'The day on which the instalment is due, in days since 1970-01-01. Required for INSTALMENT_DUE and PAID: a payment names the instalment that it pays, so that it may come before its due event' CODEC(Delta, ZSTD(1)),
    outstanding_principal Nullable(Decimal(14, 2)) COMMENT 'Principal still owed on this loan after the event' CODEC(ZSTD(1)),
    credit_limit Nullable(Decimal(14, 2)) COMMENT 'Limit of a revolving credit; absent for a term loan' CODEC(ZSTD(1)),
    declared_purpose LowCardinality(Nullable(String)) COMMENT 'What the borrower said the money is for; sent with APPLIED or DISBURSED',
    loan_status LowCardinality(Nullable(String)) COMMENT 'State of the loan after the event, where the lender''s system knows it',
    minimum_due Nullable(Decimal(14, 2)) COMMENT 'Least amount that keeps a revolving account current, with INSTALMENT_DUE; null where the whole instalment is due' CODEC(ZSTD(1)),
    annual_rate Nullable(Float64) COMMENT 'Yearly interest rate of the loan as a share (0.18 is 18%), with DISBURSED or RESTRUCTURED; null where not told' CODEC(ZSTD(1)),
    product LowCardinality(Nullable(String)) COMMENT 'Product of the loan; null where not told',
    region LowCardinality(Nullable(String)) COMMENT 'District in which the loan was made, as a GB/T 2260 code such as 500103 or a name of the lender''s own, 1 to 24 printable ASCII characters; nothing finer than a district. Null where not told',
    kafka_partition UInt32 COMMENT 'Partition that the row came from',
    kafka_offset Int64 COMMENT 'Offset that the row came from' CODEC(Delta, ZSTD(1)),
    published_at DateTime64(3, 'UTC') COMMENT 'When the record was published, by its own timestamp' CODEC(Delta, ZSTD(1)),
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(loaded_at)
PARTITION BY toYYYYMM(event_time)
ORDER BY (borrower_id, event_time, event_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What happened to loans, as the lenders sent it';

CREATE TABLE spending_events
(
    event_id String COMMENT 'UUID of this event in its 36-character form. The same event sent twice carries the same id' CODEC(ZSTD(1)),
    borrower_id String COMMENT 'Pseudonymous token of the borrower, 1 to 64 printable ASCII characters, made by the lender. Never a name, a phone number or an ID number. Equal to the record''s key' CODEC(ZSTD(1)),
    event_time DateTime64(3, 'UTC') COMMENT 'When it happened, UTC, in milliseconds since 1970-01-01' CODEC(Delta, ZSTD(1)),
    source LowCardinality(String) COMMENT 'Who sent it: the lender''s or data partner''s system',
    kind LowCardinality(String) COMMENT 'What kind of movement it is; it tells the direction, since amounts have no sign',
    amount Nullable(Decimal(14, 2)) COMMENT 'How much moved, always zero or more. Required by rule' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event. A deployment takes one currency and dead-letters others',
    category LowCardinality(Nullable(String)) COMMENT 'What it was spent on, or where it came from',
    balance_after Nullable(Decimal(14, 2)) COMMENT 'Balance of the account after the movement; negative when overdrawn' CODEC(ZSTD(1)),
    loan_id Nullable(String) COMMENT 'The loan whose proceeds were spent, where the sender knows it' CODEC(ZSTD(1)),
    kafka_partition UInt32 COMMENT 'Partition that the row came from',
    kafka_offset Int64 COMMENT 'Offset that the row came from' CODEC(Delta, ZSTD(1)),
    published_at DateTime64(3, 'UTC') COMMENT 'When the record was published, by its own timestamp' CODEC(Delta, ZSTD(1)),
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(loaded_at)
PARTITION BY toYYYYMM(event_time)
ORDER BY (borrower_id, event_time, event_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What moved on accounts, as it was sent';

CREATE TABLE utility_events
(
    event_id String COMMENT 'UUID of this event in its 36-character form. The same event sent twice carries the same id' CODEC(ZSTD(1)),
    borrower_id String COMMENT 'Pseudonymous token of the borrower, 1 to 64 printable ASCII characters, made by the lender. Never a name, a phone number or an ID number. Equal to the record''s key' CODEC(ZSTD(1)),
    event_time DateTime64(3, 'UTC') COMMENT 'When it happened, UTC, in milliseconds since 1970-01-01' CODEC(Delta, ZSTD(1)),
    source LowCardinality(String) COMMENT 'Who sent it: the lender''s or data partner''s system',
    utility LowCardinality(String) COMMENT 'Which utility it concerns',
    kind LowCardinality(String) COMMENT 'What happened',
    amount Nullable(Decimal(14, 2)) COMMENT 'Amount of the bill or of the payment. Required and zero or more for BILL_ISSUED, BILL_PAID and BILL_OVERDUE' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event. A deployment takes one currency and dead-letters others',
    due_date Nullable(Date) COMMENT 'The day on which the bill is due; it names the bill. Required for BILL_ISSUED, BILL_PAID and BILL_OVERDUE' CODEC(Delta, ZSTD(1)),
    usage Nullable(Float64) COMMENT 'Consumption since the last reading: kWh for ELECTRICITY, cubic metres for WATER and GAS, GB for TELECOM. Required and zero or more for METER_READ' CODEC(ZSTD(1)),
    kafka_partition UInt32 COMMENT 'Partition that the row came from',
    kafka_offset Int64 COMMENT 'Offset that the row came from' CODEC(Delta, ZSTD(1)),
    published_at DateTime64(3, 'UTC') COMMENT 'When the record was published, by its own timestamp' CODEC(Delta, ZSTD(1)),
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was loaded' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(loaded_at)
PARTITION BY toYYYYMM(event_time)
ORDER BY (borrower_id, event_time, event_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Bills, meter readings and notices of utilities, as they were sent';
