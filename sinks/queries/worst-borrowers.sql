-- The borrowers with the lowest index now.
-- lender: only this lender; all where it is not given
SELECT borrower_id, round(lhi, 1) AS lhi, level, days_past_due, overdue_amount, shortfall_days_p50, behaviours, lender_ids
FROM borrowers_now
WHERE has(lender_ids, {lender:String}) -- if lender
ORDER BY borrowers_now.lhi, borrower_id
LIMIT 20
