"""Between the learning core's values and the contracts' native values (as the codec takes and gives them)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from loanpulse.schemas.contracts import ExampleOutcome
from loanpulse.schemas.json_form import milliseconds
from loanpulse.streams.indicators.catalogue import NAMES
from loanpulse.streams.learning.fairness import GroupAudit
from loanpulse.streams.learning.health import known
from loanpulse.streams.learning.labels import Matured, Prediction, Repayment
from loanpulse.streams.learning.trainer import LOGISTIC, Measured, Version
from loanpulse.streams.models.scorecard import FORMAT, Scorecard, scorecard_to_bytes, sha256
from loanpulse.streams.models.served import Served, check_servable, served_from_bytes
from loanpulse.streams.policy.policy_file import MODEL_VERSION

Value = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TRAINER = "trainer"
"""Who decides about a version where no person did."""
PARTS = ("value", "utility", "evidence", "points", "age_days")


def moment(ms: int) -> datetime:
    """Return milliseconds since 1970 as a moment."""
    return EPOCH + timedelta(milliseconds=ms)


def prediction_of(snapshot: Value) -> Prediction:
    """Return what the ledger keeps of a liquidity snapshot."""
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
        _readings(snapshot),
    )


def _readings(value: Value) -> tuple[tuple[float, float, float, float, float], ...]:
    return tuple(
        (reading["value"], reading["utility"], reading["evidence"], reading["points"], reading["age_days"])
        for reading in (value[name] for name in NAMES)
    )


def repayment_of(event: Value) -> Repayment:
    """Return what the ledger reads of a repayment event."""
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
    pairs = zip(NAMES, prediction.readings, strict=True)
    readings = {name: dict(zip(PARTS, reading, strict=True)) for name, reading in pairs}
    return {
        "example_id": matured.example_id,
        "borrower_id": prediction.borrower_id,
        "snapshot_id": prediction.snapshot_id,
        "event_time": moment(prediction.time),
        "matured_time": moment(matured.matured_time),
        "defaulted": matured.outcome is ExampleOutcome.DEFAULTED,
        "weight": 0.0 if matured.outcome is ExampleOutcome.CENSORED else 1.0,
        "lhi": prediction.lhi,
        "pd": prediction.pd,
        **readings,
        "model_version": prediction.model_version,
        "lender_id": matured.lender,
        "horizon_days": matured.horizon_days,
        "outcome": matured.outcome.name,
        "known_at": moment(prediction.known_at),
        "level": prediction.level,
        "defaulted_time": None if matured.defaulted_at is None else moment(matured.defaulted_at),
    }  # fmt: skip


def matured_of(value: Value) -> Matured:
    """Return an example as the trainer takes it."""
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
        _readings(value),
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
        "event_time": moment(version.time),
        "examples": version.examples,
        "parent_version": version.parent or None,
        "algorithm": version.algorithm,
        "weights_format": FORMAT,
        "weights": version.weights,
        "sha256": sha256(version.weights),
        "status": status,
        "reason": version.reason,
        "decided_by": TRAINER,
        "effective_time": moment(version.time),
        "horizon_days": 30,
        "examples_topic_offsets": offsets,
    }


def experts_value(scorecard: Scorecard, *, in_force: bool) -> Value:
    """Return the experts' scorecard as a value of model-snapshots: what stands before all that is learned."""
    weights = scorecard_to_bytes(scorecard)
    version = Version(
        LOGISTIC, MODEL_VERSION, "", True, in_force, 0, 0, "the indicator catalogue's published weights", weights,
        "where learning starts from",
    )  # fmt: skip
    return version_value(version, []) | {"status": "IN_FORCE" if in_force else "RETIRED", "decided_by": "experts"}


def served_in_force(value: Value) -> Served | None:
    """Return the model that a record of model-snapshots puts in force, None where it puts none.

    Raises:
        WeightsError: the weights are damaged, or borrowers can't be scored with them.
    """
    if value["status"] != "IN_FORCE" or value["role"] != "CHAMPION":
        return None
    served = served_from_bytes(value["weights"], value["sha256"])
    check_servable(served)
    return served


def health_value(measured: Measured) -> Value:
    """Return measures as a value of model-health."""
    found = measured.health
    value: Value = {
        "model_id": measured.model_id,
        "model_version": measured.version,
        "role": "CHAMPION" if measured.champion else "CHALLENGER",
        "event_time": moment(measured.time),
        "window_start": moment(measured.window[0]),
        "window_end": moment(measured.window[1]),
        "audited_group": None if measured.group is None else measured.group.group,
        "examples": found.examples,
        "positives": found.positives,
        "censored": found.censored,
        "horizon_days": measured.horizon_days,
        "lender_id": measured.lender,
        "ks": found.ks,
        "brier": found.brier,
        "log_loss": found.log_loss,
        "psi": found.psi,
        "psi_critical": found.psi_critical,
        "lift_by_decile": list(found.lift),
        "indicator_psi": list(found.indicator_psi),
        "indicator_age_days": list(found.indicator_age_days),
        "drifted": found.drifted,
        "moved": list(found.moved),
        "proxy_auc": measured.proxy_auc,
        "reason_consistency": measured.reason_consistency,
        "lead_time_days": measured.lead_time_days,
    }
    if found.auc is not None:
        value |= {
            "auc": found.auc.value,
            "auc_low": found.auc.low,
            "auc_high": found.auc.high,
            "gini": 2.0 * found.auc.value - 1.0,
        }
    if found.reliability is not None:
        value |= {
            "calibration_error": found.reliability.calibration_error,
            "reliability_predicted": list(found.reliability.predicted),
            "reliability_observed": list(found.reliability.observed),
            "reliability_examples": list(found.reliability.examples),
        }
    if found.budget is not None:
        value |= {
            "budget": found.budget.reached,
            "precision_at_budget": known(found.budget.precision),
            "recall_at_budget": known(found.budget.recall),
        }
    return value if measured.group is None else value | _group(measured.group)


def _group(group: GroupAudit) -> Value:
    largest = max(group.rates, key=lambda rate: abs(rate.deviation) if rate.deviation == rate.deviation else -1.0)
    return {
        "selection_rate": known(group.selection_rate.value),
        "true_positive_rate": known(group.true_positive_rate.value),
        "false_positive_rate": known(group.false_positive_rate.value),
        "group_deviation": known(largest.deviation),
        "deviation_margin": known(largest.margin) if largest.margin != float("inf") else None,
        "calibration_error": known(group.calibration_error),
        "group_alarm": group.alarm,
    }
