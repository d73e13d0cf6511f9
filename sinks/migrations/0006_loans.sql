-- Loans and their instalments, folded from the lenders' events. Every state is the same whatever the order of the events and
-- however often one comes, so that late and doubled events are no matter.
CREATE TABLE loans
(
    lender_id LowCardinality(String) COMMENT 'Who owns the loan',
    borrower_id String COMMENT 'Whose loan it is' CODEC(ZSTD(1)),
    loan_id String COMMENT 'The loan, unique within the lender' CODEC(ZSTD(1)),
    product AggregateFunction(argMax, String, Tuple(DateTime64(3, 'UTC'), String)) COMMENT 'Product, as last told',
    region AggregateFunction(argMax, String, Tuple(DateTime64(3, 'UTC'), String)) COMMENT 'District in which it was made, as last told',
    status AggregateFunction(argMax, String, Tuple(DateTime64(3, 'UTC'), String)) COMMENT 'What last happened to it',
    outstanding_principal AggregateFunction(argMax, Decimal(14, 2), Tuple(DateTime64(3, 'UTC'), String)) COMMENT 'Principal still owed, as last told',
    amount AggregateFunction(argMax, Decimal(14, 2), Tuple(DateTime64(3, 'UTC'), String)) COMMENT 'Amount disbursed',
    disbursed_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When it was paid out',
    ended_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When it was settled or written off',
    written_off_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'When it was written off'
)
ENGINE = AggregatingMergeTree
ORDER BY (lender_id, borrower_id, loan_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Loans by their latest events; ask loan_book';

CREATE MATERIALIZED VIEW loans_from_events TO loans AS
SELECT
    lender_id,
    borrower_id,
    loan_id,
    argMaxStateIf(toString(assumeNotNull(product)), (event_time, event_id), product IS NOT NULL) AS product,
    argMaxStateIf(toString(assumeNotNull(region)), (event_time, event_id), region IS NOT NULL) AS region,
    argMaxState(toString(kind), (event_time, event_id)) AS status,
    argMaxStateIf(assumeNotNull(outstanding_principal), (event_time, event_id), outstanding_principal IS NOT NULL)
        AS outstanding_principal,
    argMaxStateIf(assumeNotNull(amount), (event_time, event_id), kind = 'DISBURSED' AND amount IS NOT NULL) AS amount,
    min(if(kind = 'DISBURSED', event_time, NULL)) AS disbursed_at,
    min(if(kind IN ('SETTLED', 'WRITTEN_OFF'), event_time, NULL)) AS ended_at,
    min(if(kind = 'WRITTEN_OFF', event_time, NULL)) AS written_off_at
FROM repayment_events
GROUP BY lender_id, borrower_id, loan_id
COMMENT 'Fills loans';

CREATE TABLE instalment_events
(
    lender_id LowCardinality(String) COMMENT 'Who owns the loan',
    borrower_id String COMMENT 'Whose loan it is' CODEC(ZSTD(1)),
    loan_id String COMMENT 'The loan, unique within the lender' CODEC(ZSTD(1)),
    due_date Date COMMENT 'The day on which the instalment is due; it names it' CODEC(Delta, ZSTD(1)),
    due AggregateFunction(argMax, Decimal(14, 2), Tuple(DateTime64(3, 'UTC'), String)) COMMENT 'Amount due, as last told',
    payments AggregateFunction(groupUniqArray, Tuple(DateTime64(3, 'UTC'), UInt64, Decimal(14, 2))) COMMENT 'Payments: when, a hash of the event''s id, how much'
)
ENGINE = AggregatingMergeTree
ORDER BY (lender_id, borrower_id, loan_id, due_date)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What fell due and what was paid, by instalment; ask instalments';

CREATE MATERIALIZED VIEW instalment_events_from_events TO instalment_events AS
SELECT
    lender_id,
    borrower_id,
    loan_id,
    assumeNotNull(due_date) AS due_date,
    argMaxStateIf(assumeNotNull(amount), (event_time, event_id), kind = 'INSTALMENT_DUE') AS due,
    groupUniqArrayStateIf((event_time, cityHash64(event_id), assumeNotNull(amount)), kind = 'PAID') AS payments
FROM repayment_events
WHERE kind IN ('INSTALMENT_DUE', 'PAID') AND repayment_events.due_date IS NOT NULL AND repayment_events.amount IS NOT NULL
GROUP BY lender_id, borrower_id, loan_id, due_date
COMMENT 'Fills instalment_events';
