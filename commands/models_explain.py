"""`loanpulse models explain`: the points that each indicator costs one borrower in one score."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from loanpulse.commands.console import ConfigOption, configured, fail, failures, out
from loanpulse.commands.model_versions import UnknownVersion, find_version, opened, version_in_force
from loanpulse.schemas import json_form
from loanpulse.schemas.lines import LineError, read_lines
from loanpulse.schemas.registry import RegistryUnavailable
from loanpulse.schemas.topics import LIQUIDITY_SNAPSHOTS, TRAINING_EXAMPLES
from loanpulse.streams.from_settings import load_policy
from loanpulse.streams.indicators.catalogue import NAMES
from loanpulse.streams.learning import contract_values
from loanpulse.streams.learning.labels import Prediction
from loanpulse.streams.learning.single_score import (
    Explanation,
    explain_beside_others,
    explain_champion,
    explain_forest,
)
from loanpulse.streams.models.scorecard import Scorecard, WeightsError, scorecard_of
from loanpulse.streams.models.served import check_servable, served_from_bytes
from loanpulse.streams.policy.policy_file import MODEL_VERSION, PolicyError

BACKGROUND = 256
"""The size of the sample of other borrowers' scores that a forest's score is compared with."""


class NoSuchScore(LookupError):
    """The file has no score that matches the options."""


@dataclass(slots=True)
class Sample:
    """A reservoir sample of predictions, the same for the same file."""

    rows: list[Prediction] = field(default_factory=list)
    _seen: int = 0
    _rng: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - chance, not secrets

    def add(self, row: Prediction) -> None:
        """Keep the row, or drop it at random."""
        self._seen += 1
        if len(self.rows) < BACKGROUND:
            self.rows.append(row)
        elif (index := self._rng.randrange(self._seen)) < BACKGROUND:
            self.rows[index] = row


def explain(
    file: Annotated[
        Path,
        typer.Argument(help="JSON Lines of liquidity-snapshots or training-examples.", exists=True, dir_okay=False),
    ],
    borrower: Annotated[
        str, typer.Option(help="Explain this borrower's latest score. Default: the file's last score.")
    ] = "",
    snapshot: Annotated[str, typer.Option(help="Explain the score with this snapshot_id.")] = "",
    version: Annotated[
        str,
        typer.Option(help=f"The version to explain with. Default: the one in force. {MODEL_VERSION} needs no broker."),
    ] = "",
    others: Annotated[
        bool, typer.Option("--others", help="Compare a forest's score with other borrowers in the file, by sampling.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="Time limit of the sampling, in seconds.", min=0.001)] = 0.05,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    config: ConfigOption = None,
) -> None:
    """Explain one score: the index points that each indicator costs.

    The points are exact, relative to perfect values, and equal to those that workers publish. With --others the points
    of a forest are sampled Shapley values, relative to the other borrowers in the file. `loanpulse replay --snapshots`
    writes such a file.
    """
    settings = configured(config)
    with failures(PolicyError, NoSuchScore, UnknownVersion, WeightsError, RegistryUnavailable, TimeoutError, OSError):
        policy = load_policy(settings)
        prediction, background = _chosen(file, borrower, snapshot)
        if version == MODEL_VERSION:
            found = explain_champion(scorecard_of(policy.parameters), prediction, policy.parameters)
        else:
            _, versions = opened(settings)
            version = version or version_in_force(versions)
            value = find_version(versions, version)
            served = served_from_bytes(value["weights"], value["sha256"])
            check_servable(served)
            if isinstance(served, Scorecard):
                found = explain_champion(served, prediction, policy.parameters)
            elif others:
                found = explain_beside_others(
                    served, prediction, background, policy.parameters, clock=time.monotonic, seconds=seconds
                )
            else:
                found = explain_forest(served, prediction, policy.parameters)
    if as_json:
        typer.echo(orjson.dumps(_value(prediction, version, found), option=orjson.OPT_INDENT_2))
    else:
        _print(prediction, version, found)


def _chosen(file: Path, borrower: str, snapshot: str) -> tuple[Prediction, list[Prediction]]:
    """Return the score to explain, and a sample of other borrowers' scores.

    Raises:
        NoSuchScore: the file has no such score.
    """
    chosen: Prediction | None = None
    sample = Sample()
    for one in _predictions(file):
        sample.add(one)
        if borrower and one.borrower_id != borrower:
            continue
        if (one.snapshot_id == snapshot) if snapshot else (chosen is None or not borrower or one.time >= chosen.time):
            chosen = one
    if chosen is None:
        asked = [f"borrower {borrower}"] * bool(borrower) + [f"snapshot {snapshot}"] * bool(snapshot)
        raise NoSuchScore(f"{file} has no score{' of ' if asked else ''}{' and '.join(asked)}.")
    return chosen, [one for one in sample.rows if one.borrower_id != chosen.borrower_id]


def _predictions(file: Path) -> Iterator[Prediction]:
    for line in read_lines(file):
        if isinstance(line, LineError):
            fail(f"{file}:{line.number}: {line.field} {line.message}")
        if line.value is None:
            continue
        if line.topic == LIQUIDITY_SNAPSHOTS:
            yield contract_values.prediction_of(line.value)
        elif line.topic == TRAINING_EXAMPLES:
            yield contract_values.matured_of(line.value).prediction


def _value(prediction: Prediction, version: str, found: Explanation) -> dict[str, Any]:
    return {
        "borrower_id": prediction.borrower_id,
        "snapshot_id": prediction.snapshot_id,
        "event_time": json_form.iso(contract_values.instant(prediction.time)),
        "said": {"model_version": prediction.model_version, "lhi": prediction.lhi, "pd": prediction.pd},
        "explained_by": version,
        "method": "exact points" if found.permutations is None else "sampled Shapley values",
        "permutations": found.permutations,
        "start": found.start,
        "points_lost": dict(zip(NAMES, found.points.tolist(), strict=True)),
        "lhi": found.lhi,
        "pd": found.pd,
    }


def _print(prediction: Prediction, version: str, found: Explanation) -> None:
    published = f"{prediction.model_version} published index {prediction.lhi:.1f}, PD {prediction.pd:.4f}"
    out.print(
        f"{prediction.borrower_id} at {json_form.iso(contract_values.instant(prediction.time))}: {published}",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    table = Table()
    for name in ("indicator", "value", "utility", "evidence", "points lost"):
        table.add_column(name, justify="left" if name == "indicator" else "right")
    for index in sorted(range(len(NAMES)), key=lambda one: -found.points[one]):
        value, utility, evidence, _, _ = prediction.model_inputs[index]
        known = evidence > 0.0
        table.add_row(
            NAMES[index], f"{value:.3f}" if known else "-", f"{utility:.3f}" if known else "-", f"{evidence:.2f}",
            f"{found.points[index]:+.2f}",
        )  # fmt: skip
    out.print(table)
    start = "perfect values" if found.permutations is None else "the background"
    how = "" if found.permutations is None else f"; {found.permutations} permutations"
    out.print(
        f"{version}: index {found.lhi:.1f} = {found.start:.1f} of {start} less {found.points.sum():.1f} "
        f"(within 0 to 100), PD {found.pd:.4f}{how}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
