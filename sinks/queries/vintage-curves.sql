-- Which vintages go bad: loans by month of disbursement that went 30 days past due, by months on book.
-- lender: only this lender; all where it is not given
SELECT lender_id, vintage, months_on_book, loans, loans_defaulted, share_defaulted
FROM vintage_curves
WHERE lender_id = {lender:String} -- if lender
ORDER BY lender_id, vintage, months_on_book
