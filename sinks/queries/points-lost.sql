-- Index points that each indicator costs, on average, at each level now.
-- lender: only this lender; all where it is not given
SELECT level, count() AS borrowers,
    round(avg(net_cash_flow_points), 2) AS net_cash_flow,
    round(avg(savings_coverage_points), 2) AS savings_coverage,
    round(avg(debt_concentration_points), 2) AS debt_concentration,
    round(avg(income_volatility_points), 2) AS income_volatility,
    round(avg(income_trend_points), 2) AS income_trend,
    round(avg(debt_service_points), 2) AS debt_service,
    round(avg(arrears_points), 2) AS arrears,
    round(avg(payment_shortfall_points), 2) AS payment_shortfall,
    round(avg(borrow_to_repay_points), 2) AS borrow_to_repay,
    round(avg(utility_arrears_points), 2) AS utility_arrears,
    round(avg(usage_shock_points), 2) AS usage_shock,
    round(avg(spending_stress_points), 2) AS spending_stress
FROM borrowers_now
WHERE has(lender_ids, {lender:String}) -- if lender
GROUP BY level
ORDER BY indexOf(['AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS', 'UNKNOWN'], level)
