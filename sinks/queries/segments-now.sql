-- Which regions and products are in trouble: borrowers by region and product of their open loans.
-- lender: only this lender; all where it is not given
SELECT lender_id, region, product, sum(segments_now.borrowers) AS borrowers,
    sumIf(segments_now.borrowers, level IN ('TENSE', 'CRISIS')) AS tense_or_worse,
    round(tense_or_worse / borrowers, 4) AS share
FROM segments_now
WHERE lender_id = {lender:String} -- if lender
GROUP BY lender_id, region, product
ORDER BY share DESC, lender_id, region, product
