-- How good the models are by their newest measure.
SELECT model_id, role, audited_group, model_version, event_time, examples, positives, auc, ks, log_loss, calibration_error, psi,
    lead_time_days, group_deviation
FROM model_health_now
ORDER BY model_id, role, audited_group
