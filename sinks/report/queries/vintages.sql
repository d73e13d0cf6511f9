-- Loans of the lender by month of disbursement: the share that had been 30 days past due by so many months later.
WITH
    loans AS
    (
        SELECT loan_id, min(event_time) AS disbursed_at
        FROM repayment_events
        WHERE lender_id = {lender:String} AND kind = 'DISBURSED' AND event_time < addMonths({month:Date}, 1)
        GROUP BY loan_id
    ),
    instalments AS
    (
        SELECT
            loan_id,
            due_date,
            maxIf(amount, kind = 'INSTALMENT_DUE') AS due,
            groupArrayIf((toDate(event_time), amount), kind = 'PAID') AS payments
        FROM (SELECT DISTINCT event_id, loan_id, kind, assumeNotNull(due_date) AS due_date, ifNull(amount, 0) AS amount, event_time FROM repayment_events WHERE lender_id = {lender:String} AND kind IN ('INSTALMENT_DUE', 'PAID') AND due_date IS NOT NULL AND event_time < addMonths({month:Date}, 1))
        GROUP BY loan_id, due_date
        HAVING due > 0
    ),
    first_bad AS
    (
        SELECT loan_id, min(due_date + 30) AS bad_on
        FROM instalments
        WHERE due_date + 30 < least(addMonths({month:Date}, 1), (SELECT toDate(max(event_time)) + 1 FROM snapshots))
            AND arraySum(payment -> if(payment.1 < due_date + 30, payment.2, 0), payments) < due
        GROUP BY loan_id
    ),
    curves AS
    (
        SELECT
            toStartOfMonth(loans.disbursed_at) AS vintage,
            loans.loan_id AS loan_id,
            first_bad.bad_on AS bad_on,
            arrayJoin(range(toUInt32(dateDiff('month', toStartOfMonth(loans.disbursed_at), {month:Date})) + 1)) AS months_on_book
        FROM loans
        LEFT JOIN first_bad ON loans.loan_id = first_bad.loan_id
    )
SELECT
    vintage,
    months_on_book,
    count() AS loans,
    countIf(bad_on != toDate(0) AND dateDiff('month', vintage, bad_on) <= months_on_book) / count() AS share
FROM curves
WHERE vintage >= addMonths({month:Date}, -5)
GROUP BY vintage, months_on_book
ORDER BY vintage, months_on_book
