-- Alerts by day, lender and kind.
SELECT * FROM alerts_daily ORDER BY day DESC, lender_id, kind LIMIT 60
