-- The comment of group_deviation said what is not written; version 4 of model-health changes its text alone.
ALTER TABLE model_health COMMENT COLUMN group_deviation 'The largest difference, by size and with its sign, of an audited group''s rates from everybody else''s: the share selected, the share selected of those who defaulted, or of those who did not. Null where too few examples were seen';
