-- Borrowers by days past due now.
-- lender: only this lender; all where it is not given
SELECT lender_id, bucket, borrowers, overdue_amount, average_lhi
FROM dpd_buckets_now
WHERE lender_id = {lender:String} -- if lender
ORDER BY lender_id, indexOf(['0', '1-7', '8-29', '30-59', '60-89', '90+'], bucket)
