-- Loans of the lender by month of disbursement: the share that had been 30 days past due by so many months later.
SELECT vintage, months_on_book, loans, share_defaulted AS share
FROM vintage_curves
WHERE lender_id = {lender:String}
    AND vintage >= addMonths({month:Date}, -5)
    AND addMonths(vintage, months_on_book) <= {month:Date}
    AND vintage <= {month:Date}
ORDER BY vintage, months_on_book
