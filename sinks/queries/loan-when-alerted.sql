-- What was known about the borrower and the lender's own loans when an alert was sent.
-- alert: the alert's id
WITH alert AS
(
    SELECT alert_id, lender_id, borrower_id, kind, event_time AS alerted_at, known_at, published_at
    FROM alerts FINAL
    WHERE alert_id = {alert:String}
)
SELECT
    alert.alert_id AS alert_id, alert.kind AS kind, alert.alerted_at AS alerted_at, known.lhi AS lhi, known.level AS level,
    known.days_past_due AS days_past_due, known.scored_at AS scored_at, known.known_at AS known_at,
    loan.loan_id AS loan_id, loan.last_event AS last_event, loan.last_event_at AS last_event_at,
    loan.outstanding_principal AS outstanding_principal, loan.due AS due, loan.paid AS paid
FROM alert
LEFT JOIN
(
    SELECT borrower_id, max((event_time, snapshots.known_at)).1 AS scored_at,
        max((event_time, snapshots.known_at)).2 AS known_at,
        argMax(snapshots.lhi, (event_time, snapshots.known_at)) AS lhi,
        argMax(snapshots.level, (event_time, snapshots.known_at)) AS level,
        argMax(snapshots.days_past_due, (event_time, snapshots.known_at)) AS days_past_due
    FROM snapshots
    WHERE borrower_id IN (SELECT borrower_id FROM alert) AND snapshots.known_at <= (SELECT max(alert.known_at) FROM alert)
    GROUP BY borrower_id
) AS known USING (borrower_id)
LEFT JOIN
(
    SELECT borrower_id, lender_id, loan_id, argMax(kind, event_time) AS last_event, max(event_time) AS last_event_at,
        argMaxIf(outstanding_principal, event_time, outstanding_principal IS NOT NULL) AS outstanding_principal,
        sumIf(amount, kind = 'INSTALMENT_DUE') AS due, sumIf(amount, kind = 'PAID') AS paid
    FROM repayment_events FINAL
    WHERE borrower_id IN (SELECT borrower_id FROM alert) AND published_at <= (SELECT max(alert.published_at) FROM alert)
    GROUP BY borrower_id, lender_id, loan_id
) AS loan USING (borrower_id, lender_id)
ORDER BY loan_id
