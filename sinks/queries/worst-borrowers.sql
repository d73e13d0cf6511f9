-- The borrowers with the lowest index now.
SELECT borrower_id, round(lhi, 1) AS lhi, level, days_past_due, overdue_amount, runway_days, lender_ids FROM borrowers_now ORDER BY lhi, borrower_id LIMIT 20
