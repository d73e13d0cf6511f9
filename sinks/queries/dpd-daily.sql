-- How the buckets of days past due moved, by day.
-- lender: only this lender; all where it is not given
-- since = 30d: from when, as a date or as a time before now such as 30d
SELECT day, lender_id, bucket, borrowers, overdue_amount
FROM dpd_buckets_daily
WHERE day >= toDate({since:DateTime64(3, 'UTC')})
    AND lender_id = {lender:String} -- if lender
ORDER BY day, lender_id, indexOf(['0', '1-7', '8-29', '30-59', '60-89', '90+'], bucket)
