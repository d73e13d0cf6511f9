-- What was known about a borrower at a time, without anything learned later.
-- borrower: the borrower
-- as-of = 0d: that time, as a date, a time, or a time before now such as 7d
SELECT *
FROM what_we_knew(as_of = {as_of:DateTime64(3, 'UTC')})
WHERE borrower_id = {borrower:String}
