-- How soon money runs out: borrowers by days until the balance can't meet what falls due.
-- lender: only this lender; all where it is not given
SELECT lender_id, band, borrowers, average_lhi
FROM shortfall_bands_now
WHERE lender_id = {lender:String} -- if lender
ORDER BY lender_id, indexOf(['0-7', '8-14', '15-30', '31-60', '61-89', '90+', 'unknown'], band)
