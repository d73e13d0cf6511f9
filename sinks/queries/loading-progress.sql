-- How far each topic has been loaded, and when last.
SELECT topic, records, blocks_under_way, last_loaded_at FROM loading_progress ORDER BY topic
