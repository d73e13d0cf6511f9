-- The matrix of roll rates: of borrowers at a level before a day, the share at each level at its end.
-- lender: only this lender; all where it is not given
-- since = 30d: from when, as a date or as a time before now such as 30d
SELECT lender_id, level_from, sum(borrowers) AS borrower_days,
    round(sumIf(borrowers, level_to = 'AMPLE') / borrower_days, 4) AS ample,
    round(sumIf(borrowers, level_to = 'STABLE') / borrower_days, 4) AS stable,
    round(sumIf(borrowers, level_to = 'WATCH') / borrower_days, 4) AS watch,
    round(sumIf(borrowers, level_to = 'TENSE') / borrower_days, 4) AS tense,
    round(sumIf(borrowers, level_to = 'CRISIS') / borrower_days, 4) AS crisis
FROM roll_rates_daily
WHERE day >= toDate({since:DateTime64(3, 'UTC')})
    AND lender_id = {lender:String} -- if lender
GROUP BY lender_id, level_from
ORDER BY lender_id, indexOf(['AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS', 'UNKNOWN'], level_from)
