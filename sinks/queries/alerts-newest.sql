-- The twenty newest alerts, with their reasons and the advice.
SELECT event_time, lender_id, borrower_id, kind, level_from, level_to, lhi, reasons, actions FROM alerts_newest LIMIT 20
