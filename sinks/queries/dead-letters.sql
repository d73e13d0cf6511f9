-- Which records were refused, and why.
SELECT topic, code, any(message) AS why, count() AS records FROM dead_letters FINAL GROUP BY topic, code ORDER BY records DESC
