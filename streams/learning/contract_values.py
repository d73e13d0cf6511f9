"""Conversion between the values of learning and the contracts' native values, which the codec encodes and decodes."""

from datetime import UTC, datetime, timedelta
from typing import Any

from loanpulse.schemas.contracts import ExampleOutcome
from loanpulse.schemas.json_form import milliseconds
from loanpulse.streams.indicators.catalogue import NAMES
from loanpulse.streams.learning.labels import Matured, Prediction, Repayment
from loanpulse.streams.learning.outputs import LOGISTIC, Measured, Version
from loanpulse.streams.learning.quality.fairness import GroupAudit
from loanpulse.streams.learning.quality.health import Health, or_none
from loanpulse.streams.models.scorecard import FORMAT, Scorecard, scorecard_to_bytes, sha256
from loanpulse.streams.policy.policy_file import MODEL_VERSION

Value = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TRAINER = "trainer"
"""``decided_by`` of versions about which no person decided."""
PARTS = ("value", "utility", "evidence", "points", "age_days")


def instant(time_ms: int) -> datetime:
    """Return milliseconds since 1970 as a ``datetime`` in UTC."""
    return EPOCH + timedelta(milliseconds=time_ms)


def prediction_of(snapshot: Value) -> Prediction:
    """Return the fields of a liquidity snapshot that learning needs."""
    time = milliseconds(snapshot["event_time"])
    known_at = snapshot.get("known_at")
    return Prediction(
        snapshot["snapshot_id"],
        snapshot["borrower_id"],
        time,
        milliseconds(known_at) if known_at is not None else time,
        snapshot["lhi"],
        snapshot["pd"],
        snapshot["level"],
        snapshot["model_version"],
        tuple(snapshot["lender_ids"]),
        snapshot["days_past_due"],
        snapshot["open_loans"],
        _model_inputs(snapshot),
    )


def _model_inputs(value: Value) -> tuple[tuple[float, float, float, float, float], ...]:
    return tuple(
        (reading["value"], reading["utility"], reading["evidence"], reading["points"], reading["age_days"])
        for reading in (value[name] for name in NAMES)
    )


def repayment_of(event: Value) -> Repayment:
    """Return the fields of a repayment event that labels need."""
    due_date = event["due_date"]
    return Repayment(
        event["event_id"],
        event["borrower_id"],
        milliseconds(event["event_time"]),
        event["lender_id"],
        event["loan_id"],
        event["kind"],
        float(event["amount"] or 0),
        None if due_date is None else (due_date - EPOCH.date()).days,
    )


def example_value(matured: Matured) -> Value:
    """Return a matured prediction as a value of training-examples."""
    prediction = matured.prediction
    pairs = zip(NAMES, prediction.model_inputs, strict=True)
    model_inputs = {name: dict(zip(PARTS, reading, strict=True)) for name, reading in pairs}
    return {
        "example_id": matured.example_id,
        "borrower_id": prediction.borrower_id,
        "snapshot_id": prediction.snapshot_id,
        "event_time": instant(prediction.time),
        "matured_time": instant(matured.matured_time),
        "defaulted": matured.outcome is ExampleOutcome.DEFAULTED,
        "weight": 0.0 if matured.outcome is ExampleOutcome.CENSORED else 1.0,
        "lhi": prediction.lhi,
        "pd": prediction.pd,
        **model_inputs,
        "model_version": prediction.model_version,
        "lender_id": matured.lender,
        "horizon_days": matured.horizon_days,
        "outcome": matured.outcome.name,
        "known_at": instant(prediction.known_at),
        "level": prediction.level,
        "defaulted_time": None if matured.defaulted_at is None else instant(matured.defaulted_at),
    }  # fmt: skip


def matured_of(value: Value) -> Matured:
    """Return a value of training-examples as the trainer uses it."""
    outcome = ExampleOutcome[value["outcome"]]
    if outcome is ExampleOutcome.UNKNOWN:
        outcome = ExampleOutcome.DEFAULTED if value["defaulted"] else ExampleOutcome.CURRENT
    time = milliseconds(value["event_time"])
    known_at = value["known_at"]
    prediction = Prediction(
        value["snapshot_id"],
        value["borrower_id"],
        time,
        milliseconds(known_at) if known_at is not None else time,
        value["lhi"],
        value["pd"],
        value["level"] or "UNKNOWN",
        value["model_version"],
        (),
        0,
        0,
        _model_inputs(value),
    )
    defaulted = value["defaulted_time"]
    return Matured(
        value["example_id"], prediction, value["horizon_days"], milliseconds(value["matured_time"]), outcome,
        value["lender_id"], None if defaulted is None else milliseconds(defaulted),
    )  # fmt: skip


def version_value(version: Version, offsets: list[int]) -> Value:
    """Return a version as a value of model-snapshots; ``offsets`` are those after the last example learned."""
    status = "IN_FORCE" if version.in_force else "REFUSED" if version.champion else "CANDIDATE"
    return {
        "model_id": version.model_id,
        "model_version": version.version,
        "role": "CHAMPION" if version.champion else "CHALLENGER",
        "event_time": instant(version.time),
        "examples": version.examples,
        "parent_version": version.parent or None,
        "algorithm": version.algorithm,
        "weights_format": FORMAT,
        "weights": version.weights,
        "sha256": sha256(version.weights),
        "status": status,
        "reason": version.reason,
        "decided_by": TRAINER,
        "effective_time": instant(version.time),
        "horizon_days": version.horizon_days,
        "examples_topic_offsets": offsets,
    }


def experts_value(scorecard: Scorecard, *, in_force: bool) -> Value:
    """Return the experts' scorecard as a value of model-snapshots: the version before any that is learned."""
    weights = scorecard_to_bytes(scorecard)
    version = Version(
        LOGISTIC, MODEL_VERSION, "", True, in_force, 0, 0, "the indicator catalogue's published weights", weights,
        "where learning starts from",
    )  # fmt: skip
    return version_value(version, []) | {"status": "IN_FORCE" if in_force else "RETIRED", "decided_by": "experts"}


def health_value(measured: Measured) -> Value:
    """Return measures as a value of model-health."""
    value: Value = {
        "model_id": measured.model_id,
        "model_version": measured.version,
        "role": "CHAMPION" if measured.champion else "CHALLENGER",
        "event_time": instant(measured.time),
        "window_start": instant(measured.window[0]),
        "window_end": instant(measured.window[1]),
        "audited_group": None if measured.group is None else measured.group.group,
        "horizon_days": measured.horizon_days,
        "lender_id": measured.lender,
        "proxy_auc": measured.proxy_auc,
        "reason_consistency": measured.reason_consistency,
        "lead_time_days": measured.lead_time_days,
        **_health(measured.health),
    }
    return value if measured.group is None else value | _group(measured.group)


def _health(health: Health) -> Value:
    value: Value = {
        "examples": health.examples,
        "positives": health.positives,
        "censored": health.censored,
        "ks": health.ks,
        "brier": health.brier,
        "log_loss": health.log_loss,
        "psi": health.psi,
        "psi_critical": health.psi_critical,
        "lift_by_decile": list(health.lift),
        "indicator_psi": list(health.indicator_psi),
        "indicator_age_days": list(health.indicator_age_days),
        "drifted": health.drifted,
        "moved": list(health.moved),
    }
    if health.auc is not None:
        value |= {
            "auc": health.auc.value,
            "auc_low": health.auc.low,
            "auc_high": health.auc.high,
            "gini": 2.0 * health.auc.value - 1.0,
        }
    if health.reliability is not None:
        value |= {
            "calibration_error": health.reliability.calibration_error,
            "reliability_predicted": list(health.reliability.predicted),
            "reliability_observed": list(health.reliability.observed),
            "reliability_examples": list(health.reliability.examples),
        }
    if health.budget is not None:
        value |= {
            "budget": health.budget.reached,
            "precision_at_budget": or_none(health.budget.precision),
            "recall_at_budget": or_none(health.budget.recall),
        }
    return value


def _group(group: GroupAudit) -> Value:
    largest = max(group.rates, key=lambda rate: abs(rate.deviation) if rate.deviation == rate.deviation else -1.0)
    return {
        "selection_rate": or_none(group.selection_rate.value),
        "true_positive_rate": or_none(group.true_positive_rate.value),
        "false_positive_rate": or_none(group.false_positive_rate.value),
        "group_deviation": or_none(largest.deviation),
        "deviation_margin": or_none(largest.margin) if largest.margin != float("inf") else None,
        "calibration_error": or_none(group.calibration_error),
        "group_alarm": group.alarm,
    }
