-- The newest alerts with their reasons and the advice.
-- lender: only this lender; all where it is not given
-- since = 7d: from when, as a date or as a time before now such as 7d
SELECT event_time, lender_id, borrower_id, kind, level_from, level_to, lhi, reasons, actions, disposition
FROM alerts_newest
WHERE event_time >= {since:DateTime64(3, 'UTC')}
    AND lender_id = {lender:String} -- if lender
LIMIT 20
