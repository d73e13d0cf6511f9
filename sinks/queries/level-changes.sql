-- How many borrowers moved from which level to which, by day.
SELECT * FROM level_changes_daily ORDER BY day DESC, changes DESC LIMIT 60
