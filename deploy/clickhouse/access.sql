-- Who may do what in the warehouse. Run once, as an administrator, after `loanpulse warehouse migrate`, and again after every
-- migration that creates views or creates them again: clickhouse-client --multiquery < access.sql
-- The database is `loanpulse`; you create the users (see the end) and get one of the three roles.

USE loanpulse;

-- Views run with the rights of their owner, so that an analyst needs none on the tables behind them.
CREATE USER IF NOT EXISTS loanpulse_views NOT IDENTIFIED HOST NONE;
GRANT SELECT ON loanpulse.* TO loanpulse_views;

-- The lender of each analyst, one row each; an analyst without a row sees nothing.
CREATE TABLE IF NOT EXISTS loanpulse.analyst_lenders
(
    analyst String COMMENT 'Name of the database user',
    lender_id LowCardinality(String) COMMENT 'Lender whose rows the user may see'
)
ENGINE = ReplacingMergeTree
ORDER BY (analyst, lender_id)
COMMENT 'Which lender an analyst belongs to; kept by the operator';

-- The loader inserts and reads its progress; it can't migrate, and deletes rows only to forget a borrower.
CREATE ROLE IF NOT EXISTS loanpulse_loader;
GRANT INSERT, SELECT, ALTER DELETE ON loanpulse.* TO loanpulse_loader;
GRANT SELECT ON system.columns TO loanpulse_loader;
GRANT SELECT ON system.tables TO loanpulse_loader;

-- The operator migrates, maintains tables, and reads everything.
CREATE ROLE IF NOT EXISTS loanpulse_operator;
GRANT SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE, SHOW ON loanpulse.* TO loanpulse_operator;
GRANT SYSTEM, KILL QUERY ON *.* TO loanpulse_operator;
GRANT SELECT ON system.* TO loanpulse_operator;

-- The analyst reads one lender's views that identify nobody. Views with a parameter and those over all lenders
-- (what_we_knew, portfolio_as_believed, co_debt_now, the pipeline's) are for the operator only.
CREATE ROLE IF NOT EXISTS loanpulse_analyst;
CREATE SETTINGS PROFILE IF NOT EXISTS loanpulse_analyst SETTINGS readonly = 1, max_execution_time = 60, max_memory_usage = 4000000000, max_result_rows = 1000000, max_rows_to_read = 2000000000 TO loanpulse_analyst;
CREATE QUOTA IF NOT EXISTS loanpulse_analyst KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 2000, errors = 200, execution_time = 1800 TO loanpulse_analyst;

ALTER TABLE loanpulse.alerts_daily MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.alerts_daily TO loanpulse_analyst;
ALTER TABLE loanpulse.alert_precision_weekly MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.alert_precision_weekly TO loanpulse_analyst;
ALTER TABLE loanpulse.co_debt_surges_daily MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.co_debt_surges_daily TO loanpulse_analyst;
ALTER TABLE loanpulse.dpd_buckets_daily MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.dpd_buckets_daily TO loanpulse_analyst;
ALTER TABLE loanpulse.dpd_buckets_now MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.dpd_buckets_now TO loanpulse_analyst;
ALTER TABLE loanpulse.level_changes_daily MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.level_changes_daily TO loanpulse_analyst;
ALTER TABLE loanpulse.portfolio_by_day MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.portfolio_by_day TO loanpulse_analyst;
ALTER TABLE loanpulse.portfolio_by_hour MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.portfolio_by_hour TO loanpulse_analyst;
ALTER TABLE loanpulse.portfolio_by_minute MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.portfolio_by_minute TO loanpulse_analyst;
ALTER TABLE loanpulse.portfolio_now MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.portfolio_now TO loanpulse_analyst;
ALTER TABLE loanpulse.roll_rates_daily MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.roll_rates_daily TO loanpulse_analyst;
ALTER TABLE loanpulse.segments_by_day MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.segments_by_day TO loanpulse_analyst;
ALTER TABLE loanpulse.segments_by_hour MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.segments_by_hour TO loanpulse_analyst;
ALTER TABLE loanpulse.segments_by_minute MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.segments_by_minute TO loanpulse_analyst;
ALTER TABLE loanpulse.segments_now MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.segments_now TO loanpulse_analyst;
ALTER TABLE loanpulse.shortfall_bands_now MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.shortfall_bands_now TO loanpulse_analyst;
ALTER TABLE loanpulse.vintage_curves MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.vintage_curves TO loanpulse_analyst;
ALTER TABLE loanpulse.model_health_history MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.model_health_history TO loanpulse_analyst;
ALTER TABLE loanpulse.model_health_now MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.model_health_now TO loanpulse_analyst;
ALTER TABLE loanpulse.event_clock MODIFY DEFINER = loanpulse_views SQL SECURITY DEFINER;
GRANT SELECT ON loanpulse.event_clock TO loanpulse_analyst;
-- A lender's analyst sees the rows of that lender only.
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.alerts_daily USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.alerts_daily USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.alert_precision_weekly USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.alert_precision_weekly USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.co_debt_surges_daily USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.co_debt_surges_daily USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.dpd_buckets_daily USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.dpd_buckets_daily USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.dpd_buckets_now USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.dpd_buckets_now USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.level_changes_daily USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.level_changes_daily USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.model_health_history USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.model_health_history USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.model_health_now USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.model_health_now USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.portfolio_by_day USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.portfolio_by_day USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.portfolio_by_hour USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.portfolio_by_hour USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.portfolio_by_minute USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.portfolio_by_minute USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.portfolio_now USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.portfolio_now USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.roll_rates_daily USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.roll_rates_daily USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.segments_by_day USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.segments_by_day USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.segments_by_hour USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.segments_by_hour USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.segments_by_minute USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.segments_by_minute USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.segments_now USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.segments_now USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.shortfall_bands_now USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.shortfall_bands_now USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
CREATE ROW POLICY IF NOT EXISTS own_lender ON loanpulse.vintage_curves USING lender_id IN (SELECT lender_id FROM loanpulse.analyst_lenders WHERE analyst = currentUser()) TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.vintage_curves USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;
GRANT SELECT ON loanpulse.analyst_lenders TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS own_line ON loanpulse.analyst_lenders USING analyst = currentUser() TO loanpulse_analyst;
CREATE ROW POLICY IF NOT EXISTS everybody ON loanpulse.analyst_lenders USING 1 TO loanpulse_loader, loanpulse_operator, loanpulse_views;

-- Users, by example (set your own passwords, or IDENTIFIED WITH ssl_certificate or ldap):
-- CREATE USER loader IDENTIFIED BY '…' DEFAULT ROLE loanpulse_loader;
-- CREATE USER ann IDENTIFIED BY '…' DEFAULT ROLE loanpulse_analyst;
-- INSERT INTO loanpulse.analyst_lenders VALUES ('ann', 'lender-a');
