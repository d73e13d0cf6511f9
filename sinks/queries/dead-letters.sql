-- Which records were refused, and why.
SELECT topic, stage, code, why, records, last_at FROM dead_letters_by_code ORDER BY records DESC
