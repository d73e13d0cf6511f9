-- Version 3 of training-examples says when a default came, and version 3 of model-health what lead time is measured from.
ALTER TABLE training_examples ADD COLUMN defaulted_time Nullable(DateTime64(3, 'UTC')) COMMENT 'When an instalment reached its 30th day past due or a loan was written off, in event time, UTC; null where neither came within the horizon, and in examples written before version 3' CODEC(Delta, ZSTD(1)) AFTER level;

ALTER TABLE model_health COMMENT COLUMN lead_time_days 'Median days to the default from the first snapshot followed up that stood at TENSE or worse, over the defaults of the window that one came before, so at most horizon_days. Null where too few examples were seen, and at a CHALLENGER, which gives no level';
