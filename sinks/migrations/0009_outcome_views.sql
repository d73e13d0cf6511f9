-- Alerts and what became of them, instalments, vintages, models and the pipeline under plain names.
CREATE VIEW instalments AS
SELECT
    lender_id,
    borrower_id,
    loan_id,
    due_date,
    argMaxMerge(instalment_events.due) AS due,
    arraySort(groupUniqArrayMerge(instalment_events.payments)) AS payments,
    arraySum(payments.3) AS paid,
    arrayFirstIndex(sum -> sum >= due, arrayCumSum(payments.3)) AS paid_up_by,
    if(paid_up_by = 0, NULL, payments[paid_up_by].1) AS paid_up_at
FROM instalment_events
GROUP BY lender_id, borrower_id, loan_id, due_date
HAVING due > 0
COMMENT 'What fell due, what was paid, and when it was paid in full (null: not yet)';

CREATE VIEW defaults AS
SELECT
    lender_id,
    borrower_id,
    loan_id,
    min(due_date) + 30 AS defaulted_on
FROM instalments
WHERE (paid_up_at IS NULL OR toDate(paid_up_at) > due_date + 30) AND due_date + 30 <= toDate((SELECT now FROM event_clock))
GROUP BY lender_id, borrower_id, loan_id
COMMENT 'Loans of which an instalment went 30 days past due, and the day on which the first did';

CREATE VIEW vintage_curves AS
SELECT
    lender_id,
    vintage,
    months_on_book,
    loans,
    sum(newly_defaulted) OVER (PARTITION BY lender_id, vintage ORDER BY months_on_book) AS loans_defaulted,
    round(loans_defaulted / loans, 4) AS share_defaulted
FROM
(
    SELECT
        lender_id,
        vintage,
        arrayJoin(range(0, 1 + toUInt32(dateDiff('month', vintage, toDate((SELECT now FROM event_clock)))))) AS months_on_book,
        length(defaulted_after) AS loans,
        countEqual(defaulted_after, toInt32(months_on_book)) AS newly_defaulted
    FROM
    (
        SELECT
            book.lender_id AS lender_id,
            toStartOfMonth(assumeNotNull(book.disbursed_at)) AS vintage,
            groupArray(if(defaulted.defaulted_on = toDate(0), toInt32(-1),
                toInt32(dateDiff('month', vintage, defaulted.defaulted_on)))) AS defaulted_after
        FROM loan_book AS book
        LEFT JOIN defaults AS defaulted USING (lender_id, borrower_id, loan_id)
        WHERE book.disbursed_at IS NOT NULL AND toDate(book.disbursed_at) <= toDate((SELECT now FROM event_clock))
        GROUP BY lender_id, vintage
    )
)
COMMENT 'Loans by month of disbursement and months since: how many ever went 30 days past due';

CREATE VIEW alerts_newest AS
SELECT
    event_time, lender_id, borrower_id, kind, level_from, level_to, round(lhi, 1) AS lhi, round(confidence, 2) AS confidence,
    shortfall_days_p50, reasons.code AS reasons, actions, help_text_en AS help, disposition, rank, hard_event, alert_id,
    episode_id, detection_time, known_at, published_at
FROM alerts FINAL
ORDER BY event_time DESC
COMMENT 'Alerts, the newest first';

CREATE VIEW alerts_daily AS
SELECT
    toDate(event_time) AS day,
    lender_id,
    kind,
    level_to,
    disposition,
    count() AS alerts,
    uniqExact(borrower_id) AS borrowers
FROM alerts FINAL
GROUP BY day, lender_id, kind, level_to, disposition
COMMENT 'Alerts by day, lender, kind, level and what became of them';

CREATE VIEW alert_episodes AS
SELECT
    lender_id,
    episode_id,
    max(episodes.borrower_id) AS borrower_id,
    max(episodes.kind) AS kind,
    min(episodes.alerted_at) AS alerted_at,
    max(episodes.is_sent) AS is_sent,
    min(episodes.first_report_at) AS first_report_at,
    min(episodes.first_contact_at) AS first_contact_at,
    min(episodes.paid_at) AS paid_at,
    min(episodes.helped_at) AS helped_at,
    min(episodes.false_alarm_at) AS false_alarm_at,
    argMaxMerge(episodes.outcome) AS outcome,
    round(dateDiff('second', alerted_at, first_contact_at) / 3600, 1) AS hours_to_first_contact
FROM episodes
GROUP BY lender_id, episode_id
HAVING alerted_at IS NOT NULL
COMMENT 'What became of each alert episode by what was reported; outcome is empty where nothing was';

CREATE VIEW alert_outcomes AS
SELECT
    episode.lender_id AS lender_id,
    episode.episode_id AS episode_id,
    episode.borrower_id AS borrower_id,
    episode.kind AS kind,
    episode.alerted_at AS alerted_at,
    episode.is_sent AS is_sent,
    episode.outcome AS outcome,
    episode.hours_to_first_contact AS hours_to_first_contact,
    arrayFirst(day -> day > toDate(alerted_at), arraySort(truth.defaulted_on)) AS next_default,
    next_default != toDate(0) AND next_default <= toDate(alerted_at) + 60 AS is_true,
    is_true OR toDate(alerted_at) + 60 <= toDate((SELECT now FROM event_clock)) AS is_matured,
    if(is_true, dateDiff('day', toDate(alerted_at), next_default), NULL) AS lead_time_days,
    arrayFirst(moment -> moment > alerted_at, arraySort(recovery.moments)) AS recovered_at,
    least(if(recovered_at > alerted_at, toNullable(recovered_at), NULL), episode.paid_at) AS cured_at,
    round(dateDiff('hour', alerted_at, cured_at) / 24, 1) AS days_to_cure
FROM alert_episodes AS episode
LEFT JOIN
(
    SELECT lender_id, borrower_id, groupArray(defaulted_on) AS defaulted_on
    FROM defaults
    GROUP BY lender_id, borrower_id
) AS truth USING (lender_id, borrower_id)
LEFT JOIN
(
    SELECT lender_id, borrower_id, groupUniqArray(event_time) AS moments
    FROM alerts
    WHERE kind = 'LEVEL_IMPROVED' AND level_to IN ('AMPLE', 'STABLE')
    GROUP BY lender_id, borrower_id
) AS recovery USING (lender_id, borrower_id)
WHERE episode.kind != 'LEVEL_IMPROVED'
COMMENT 'Each alert episode beside what really happened: true if a loan of the borrower with that lender went 30 days past due within 60 days after it';

CREATE VIEW alert_precision_weekly AS
SELECT
    toMonday(toDate(alerted_at)) AS week,
    lender_id,
    kind,
    count() AS episodes,
    countIf(is_matured) AS matured,
    countIf(is_true) AS came_true,
    round(came_true / nullIf(matured, 0), 4) AS precision,
    countIf(outcome != '' AND outcome != 'NOT_REACHED') AS reported,
    round(1 - countIf(outcome = 'FALSE_ALARM') / nullIf(reported, 0), 4) AS precision_reported,
    round(quantileExact(0.5)(lead_time_days), 1) AS median_lead_time_days,
    round(quantileExact(0.5)(hours_to_first_contact), 1) AS median_hours_to_first_contact,
    round(quantileExact(0.5)(days_to_cure), 1) AS median_days_to_cure
FROM alert_outcomes
WHERE is_sent
GROUP BY week, lender_id, kind
COMMENT 'Of the alerts of a week, by lender and kind: how many came true, how early, how soon they were worked and cured';

CREATE VIEW co_debt_surges_daily AS
SELECT
    toDate(event_time) AS day,
    lender_id,
    uniqExact(borrower_id) AS borrowers,
    round(avg(lhi), 2) AS average_lhi
FROM alerts FINAL
WHERE kind = 'MULTI_LENDER_SURGE'
GROUP BY day, lender_id
COMMENT 'Borrowers who took credit of several new lenders at once, by day';

CREATE VIEW model_health_history AS
SELECT * EXCEPT (kafka_partition, kafka_offset, published_at, loaded_at)
FROM model_health FINAL
COMMENT 'How good each model was, window by window and group by group';

CREATE VIEW model_health_now AS
SELECT * EXCEPT (kafka_partition, kafka_offset, published_at, loaded_at)
FROM model_health FINAL
ORDER BY event_time DESC
LIMIT 1 BY model_id, role, horizon_days, lender_id, audited_group
COMMENT 'How good each model is by its newest measure';

CREATE VIEW dead_letters_by_code AS
SELECT
    topic,
    stage,
    code,
    any(message) AS why,
    count() AS records,
    min(record_time) AS first_at,
    max(record_time) AS last_at
FROM dead_letters FINAL
GROUP BY topic, stage, code
COMMENT 'Records that could not be taken, by reason';

CREATE VIEW loading_progress AS
SELECT
    topic,
    sum(next_offset) AS records,
    countIf(NOT loaded) AS blocks_under_way,
    max(written_at) AS last_loaded_at
FROM loader_blocks FINAL
GROUP BY topic
COMMENT 'How far each topic has been loaded, and when last';
