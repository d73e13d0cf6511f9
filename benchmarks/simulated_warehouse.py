"""A large portfolio made in the warehouse by SQL: scorings, loans, alerts and feedback of many borrowers."""

from loanpulse.sinks.warehouse import Warehouse

SCORINGS_EACH = 200
HOURS_BETWEEN = 7.2
CHUNK = 1_000_000
START = "2026-01-01 00:00:00"
LENDERS = 20
LEVELS = "['AMPLE', 'STABLE', 'WATCH', 'TENSE', 'CRISIS']"

# A level lasts some twenty scorings; most borrowers are well.
UNIFORM = "(1 + sipHash64(b, intDiv({k}, 20)) % 999) / 1000"
LEVEL = f"arrayElement({LEVELS}, 1 + toUInt8(least(4, floor(-1.2 * log({UNIFORM})))))"
BORROWER = "concat('b-', leftPad(toString(b), 8, '0'))"
LENDER = "concat('lender-', leftPad(toString({}), 2, '0'))"


def fill(warehouse: Warehouse, rows: int) -> None:
    """Fill an empty warehouse with ``rows`` snapshots and all that goes with them."""
    borrowers = rows // SCORINGS_EACH
    warehouse.execute("SYSTEM STOP MERGES snapshots")  # they would only take the cores from what is measured
    for first in range(0, rows, CHUNK):
        warehouse.execute(snapshots(first, min(CHUNK, rows - first), borrowers))
    for statement in (loans(borrowers), instalments(borrowers), payments(borrowers), alerts(borrowers), feedback(),
                      health(), letters(), progress()):  # fmt: skip
        warehouse.execute(statement)


def snapshots(first: int, count: int, borrowers: int) -> str:
    before = f"if(k = 0, 'UNKNOWN', {LEVEL.format(k='k - 1')})"
    lenders = ", ".join(LENDER.format(f"(b + {n} * 7) % {LENDERS}") for n in range(3))
    return f"""INSERT INTO snapshots (snapshot_id, borrower_id, event_time, cause, lhi, pd, level, previous_level,
    confidence, days_past_due, overdue_amount, open_loans, lender_ids, model_version, policy_version, known_at,
    restated, shortfall_days_p50, arrears_points, debt_service_points, kafka_partition, kafka_offset, published_at)
WITH number % {borrowers} AS b, intDiv(number, {borrowers}) AS k, sipHash64(number) AS dice,
    toDateTime64('{START}', 3, 'UTC')
    + toIntervalMillisecond(toInt64(k * {HOURS_BETWEEN} * 3600000 + dice % 20000000)) AS at
SELECT hex(sipHash128(number)), {BORROWER}, at, 'EVENT', 20 + dice % 800 / 10, dice % 100 / 1000, {LEVEL.format(k="k")},
    {before}, 0.9, if(dice % 10 = 0, dice % 120, 0), if(dice % 10 = 0, dice % 5000, 0), 1 + b % 3,
    arraySlice([{lenders}], 1, 1 + b % 3), 'm1', 'p1', at, false, if(dice % 7 = 0, NULL, dice % 91), dice % 12,
    dice % 7, b % 8, number, at
FROM numbers({first}, {count})"""


REPAYMENT = (
    "INSERT INTO repayment_events (event_id, borrower_id, event_time, source, lender_id, loan_id, kind, amount, "
    "currency, due_date, product, region, published_at) "
)


def loans(borrowers: int) -> str:
    lender = LENDER.format(f"b % {LENDERS}")
    return f"""{REPAYMENT} WITH number AS b, toDateTime64('2025-07-01 00:00:00', 3, 'UTC')
    + toIntervalHour(sipHash64(b) % 4400) AS at
SELECT hex(sipHash128(b, 'd')), {BORROWER}, at, 's', {lender}, toString(b), 'DISBURSED', 6000, 'CNY', NULL,
    arrayElement(['CASH_LOAN', 'CREDIT_CARD', 'AUTO_LOAN'], 1 + b % 3), toString(500101 + b % 38), at
FROM numbers({borrowers})"""


def instalments(borrowers: int) -> str:
    lender = LENDER.format(f"b % {LENDERS}")
    return f"""{REPAYMENT} WITH number % {borrowers} AS b, intDiv(number, {borrowers}) AS month,
    toDate('2025-09-01') + sipHash64(b) % 28 + 30 * month AS due_day
SELECT hex(sipHash128(number, 'i')), {BORROWER}, toDateTime64(due_day - 5, 3, 'UTC'), 's', {lender}, toString(b),
    'INSTALMENT_DUE', 500, 'CNY', due_day, NULL, NULL, toDateTime64(due_day - 5, 3, 'UTC')
FROM numbers({borrowers * 6})"""


def payments(borrowers: int) -> str:
    lender = LENDER.format(f"b % {LENDERS}")
    return f"""{REPAYMENT} WITH number % {borrowers} AS b, intDiv(number, {borrowers}) AS month,
    toDate('2025-09-01') + sipHash64(b) % 28 + 30 * month AS due_day, due_day + sipHash64(number) % 20 AS paid_day
SELECT hex(sipHash128(number, 'p')), {BORROWER}, toDateTime64(paid_day, 3, 'UTC'), 's', {lender}, toString(b),
    'PAID', 500, 'CNY', due_day, NULL, NULL, toDateTime64(paid_day, 3, 'UTC')
FROM numbers({borrowers * 6}) WHERE sipHash64(number, 'paid') % 25 != 0"""


def alerts(borrowers: int) -> str:
    lender = LENDER.format(f"b % {LENDERS}")
    kinds = (
        "['LEVEL_WORSENED', 'LEVEL_IMPROVED', 'INCOME_SHOCK', 'CASH_DRAIN', 'MULTI_LENDER_SURGE', 'INSTALMENT_MISSED']"
    )
    return f"""INSERT INTO alerts (alert_id, episode_id, borrower_id, lender_id, kind, level_from, level_to, lhi, pd,
    confidence, reasons, actions, event_time, detection_time, known_at, model_version, policy_version, disposition,
    published_at)
WITH sipHash64(number) % {borrowers} AS b, toDateTime64('{START}', 3, 'UTC')
    + toIntervalSecond(sipHash64(number, 't') % 5184000) AS at, arrayElement({kinds}, 1 + number % 6) AS kind
SELECT leftPad(toString(number), 12, '0'), hex(sipHash128(number, 'e')), {BORROWER}, {lender}, kind, 'WATCH',
    if(kind = 'LEVEL_IMPROVED', 'STABLE', 'TENSE'), 40, 0.2, 0.9, [('arrears', 9.5, 'Behind', '逾期')], ['REMIND'], at,
    at, at, 'm1', 'p1', if(number % 4 = 0, 'DEFERRED', 'SENT'), at
FROM numbers({borrowers * 2})"""


def feedback() -> str:
    return """INSERT INTO alert_feedback (feedback_id, borrower_id, event_time, source, lender_id, alert_id, episode_id,
    outcome)
SELECT hex(sipHash128(alert_id)), borrower_id, event_time + toIntervalHour(sipHash64(alert_id) % 90), 'desk', lender_id,
    alert_id, episode_id, arrayElement(['CONTACTED', 'PROMISED', 'PAID', 'FALSE_ALARM'], 1 + sipHash64(alert_id) % 4)
FROM alerts WHERE sipHash64(alert_id, 'f') % 3 = 0"""


def health() -> str:
    return f"""INSERT INTO model_health (model_id, model_version, role, event_time, window_start, window_end,
    audited_group, examples, positives, auc)
SELECT 'lhi', 'm1', 'CHAMPION', at, at, at, '', 1000, 30, 0.8
FROM (SELECT toDateTime64('{START}', 3, 'UTC') + toIntervalHour(number) AS at FROM numbers(1440))"""


def letters() -> str:
    return f"""INSERT INTO dead_letters (topic, partition, offset, record_time, stage, code, message)
SELECT 'spending-events', number % 8, number, toDateTime64('{START}', 3, 'UTC'), 'DECODE', 'UNDECODABLE', 'Broken.'
FROM numbers(20000)"""


def progress() -> str:
    return """INSERT INTO loader_blocks (topic, partition, first_offset, next_offset, loaded, rows, refused)
SELECT 'liquidity-snapshots', number, 0, 1000, true, 1000, 0 FROM numbers(8)"""
