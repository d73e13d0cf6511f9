-- What became of each alert episode, from the alerts and from what the teams that worked them report, in any order.
CREATE TABLE episodes
(
    lender_id LowCardinality(String) COMMENT 'The lender to whom the alerts were addressed',
    episode_id String COMMENT 'The episode: borrower, kind and the event that opened it' CODEC(ZSTD(1)),
    borrower_id SimpleAggregateFunction(max, String) COMMENT 'The borrower concerned' CODEC(ZSTD(1)),
    kind SimpleAggregateFunction(max, String) COMMENT 'What was found' CODEC(ZSTD(1)),
    alerted_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'Event time of the first alert' CODEC(ZSTD(1)),
    is_sent SimpleAggregateFunction(max, UInt8) COMMENT '1 if an alert was sent to be worked; 0 if all were deferred, suppressed or held out',
    first_report_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'First report of any kind' CODEC(ZSTD(1)),
    first_contact_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'First report that shows that the borrower was reached' CODEC(ZSTD(1)),
    paid_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'First report that the instalment was paid' CODEC(ZSTD(1)),
    helped_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'First report that terms were changed' CODEC(ZSTD(1)),
    false_alarm_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))) COMMENT 'First report that nothing was wrong' CODEC(ZSTD(1)),
    outcome AggregateFunction(argMax, String, Tuple(DateTime64(3, 'UTC'), String)) COMMENT 'What was reported last'
)
ENGINE = AggregatingMergeTree
ORDER BY (lender_id, episode_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What became of each alert episode; ask alert_episodes';

CREATE MATERIALIZED VIEW episodes_from_alerts TO episodes AS
SELECT
    lender_id,
    episode_id,
    max(alerts.borrower_id) AS borrower_id,
    max(toString(alerts.kind)) AS kind,
    min(toNullable(alerts.event_time)) AS alerted_at,
    max(toUInt8(disposition = 'SENT')) AS is_sent
FROM alerts
GROUP BY lender_id, episode_id
COMMENT 'Fills episodes';

CREATE MATERIALIZED VIEW episodes_from_feedback TO episodes AS
SELECT
    lender_id,
    episode_id,
    max(alert_feedback.borrower_id) AS borrower_id,
    min(toNullable(event_time)) AS first_report_at,
    min(if(alert_feedback.outcome IN ('CONTACTED', 'PROMISED', 'DEFERRED', 'RESTRUCTURED', 'PAID'), event_time, NULL))
        AS first_contact_at,
    min(if(alert_feedback.outcome = 'PAID', event_time, NULL)) AS paid_at,
    min(if(alert_feedback.outcome IN ('DEFERRED', 'RESTRUCTURED'), event_time, NULL)) AS helped_at,
    min(if(alert_feedback.outcome = 'FALSE_ALARM', event_time, NULL)) AS false_alarm_at,
    argMaxState(toString(alert_feedback.outcome), (event_time, feedback_id)) AS outcome
FROM alert_feedback
GROUP BY lender_id, episode_id
COMMENT 'Fills episodes';
