"""`loanpulse evaluate uci`: the models on the UCI credit-card data, month by month."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import orjson
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from loanpulse.commands.console import (
    USAGE_ERROR,
    ConfigOption,
    configured,
    err,
    fail,
    failures,
    out,
    print_table,
    spare_inputs,
)
from loanpulse.evaluation.uci_cards.file import MONTHS, CardFile, CardFileError, read_card_file
from loanpulse.evaluation.uci_cards.learning import CardRun, Prediction
from loanpulse.evaluation.uci_cards.measures import (
    Measure,
    folds,
    measure,
    measured,
    measured_before_learning,
    outcomes_of,
)
from loanpulse.schemas.contracts import Level
from loanpulse.streams.from_settings import load_policy
from loanpulse.streams.policy.policy_file import Policy, PolicyError

Served = Literal["best", "champion", "challenger"]


def uci(
    train: Annotated[Path, typer.Option(help="CSV file of clients to learn from, with outcomes.", dir_okay=False)],
    score: Annotated[
        Path | None, typer.Option(help="CSV file of clients to score; the outcome column is optional.", dir_okay=False)
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write id,as_of,pd,lhi,level of every scored client to this CSV file.")
    ] = None,
    model: Annotated[
        Served,
        typer.Option(help="Write this model's probabilities; best: the challenger if it passed its guard."),
    ] = "best",
    folds_count: Annotated[
        int,
        typer.Option("--folds", help="Cross-validate TRAIN in this many parts instead of scoring.", min=0, max=20),
    ] = 0,
    report: Annotated[Path | None, typer.Option(help="Also write the measures to this JSON file.")] = None,
    config: ConfigOption = None,
) -> None:
    """Learn from the months of card clients and score other clients, on the columns of the UCI credit-card data.

    The months from April to September go through the engine in their order. A month's status is used only after the
    month has closed. The models learn from TRAIN only, so a client's score does not depend on the other scored clients;
    October's outcomes of TRAIN are learned before September is scored. Outcomes in SCORE are used for measures only.
    """
    if folds_count == 1 or (folds_count == 0) == (score is None):
        fail("Give either --score and --out, or --folds of at least 2.", USAGE_ERROR)
    if score is not None and out_file is None:
        fail("--score needs --out, the CSV file for id,as_of,pd,lhi,level.", USAGE_ERROR)
    settings = configured(config)
    spare_inputs([train, score], out_file, report)
    with failures(PolicyError, OSError):
        policy = load_policy(settings)
        learned = _read(train, with_outcome=True)
        if not len(learned):
            fail(f"{train} holds no clients to learn from.", USAGE_ERROR)
        if score is None:
            measures = _cross_validate(policy, learned, folds_count, model)
        else:
            scored = _read(score, with_outcome=False)
            measures = _score(policy, learned, scored, model, out_file or Path("scores.csv"))
        if report is not None:
            report.write_bytes(orjson.dumps([asdict(one) for one in measures], option=orjson.OPT_INDENT_2))


def _read(path: Path, *, with_outcome: bool) -> CardFile:
    try:
        read = read_card_file(path, with_outcome=with_outcome)
    except CardFileError as error:
        fail(str(error), USAGE_ERROR)
    if read.ignored:
        err.print(f"{path}: these columns are not used: {', '.join(read.ignored)}", markup=False, highlight=False)
    return read


def _run(policy: Policy, train: CardFile, score: CardFile, model: Served) -> tuple[CardRun, list[Prediction]]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("compiling (some seconds on a machine's first run)")
        run = CardRun(policy, train, score, model, progress=_shower(progress, task))
        return run, list(run.months())


def _shower(progress: Progress, task: object) -> Callable[[str], None]:
    def show(text: str) -> None:
        progress.update(task, description=text)  # type: ignore[arg-type]
        if not err.is_terminal:
            err.print(text, markup=False, highlight=False)

    return show


def _score(policy: Policy, train: CardFile, score: CardFile, model: Served, target: Path) -> list[Measure]:
    run, predictions = _run(policy, train, score, model)
    _write(target, score, predictions)
    out.print(f"{len(score):,} clients, {len(predictions)} months: {target}", highlight=False)
    for one in predictions:
        out.print(f"{MONTHS[one.month]}: served by the {one.served}", highlight=False)
    if run.final is not None and run.final.verdict is not None:
        out.print(f"guard of the challenger: {run.final.verdict.reason}", highlight=False)
    before = list(measured_before_learning(run.progressive))
    _print("Training clients, predicted before each outcome was learned", before)
    after = list(measured(predictions, score))
    if after:
        _print("Scored clients, whose outcomes were never learned", after)
    return after or before


def _write(target: Path, score: CardFile, predictions: Sequence[Prediction]) -> None:
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "as_of", "pd", "lhi", "level"])
        for one in predictions:
            rows = zip(score.ids, one.pd.tolist(), one.lhi.tolist(), one.level.tolist(), strict=True)
            writer.writerows(
                (client, MONTHS[one.month], f"{pd:.6f}", f"{lhi:.3f}", Level(level).name)
                for client, pd, lhi, level in rows
            )


def _cross_validate(policy: Policy, clients: CardFile, count: int, model: Served) -> list[Measure]:
    """Score each part by what was learned from the others; measure all parts together."""
    if count > len(clients):
        fail(f"--folds {count} is more than the {len(clients)} clients.", USAGE_ERROR)
    champion = np.full((len(MONTHS), len(clients)), np.nan)
    challenger = champion.copy()
    never_late = np.zeros(champion.shape, np.bool_)
    for number, part in enumerate(folds(len(clients), count), start=1):
        err.print(f"part {number} of {count}", highlight=False)
        _, predictions = _run(policy, clients.part(~part), clients.part(part), model)
        for one in predictions:
            champion[one.month, part], challenger[one.month, part] = one.champion, one.challenger
            never_late[one.month, part] = one.never_late
        err.print(f"part {number}: {MONTHS[-1]} served by the {predictions[-1].served}", highlight=False)
    measures = []
    for month in range(len(MONTHS)):
        outcomes = outcomes_of(clients, month)
        assert outcomes is not None
        for name, pd in (("champion", champion[month]), ("challenger", challenger[month])):
            measures.append(measure(month, name, outcomes, pd, never_late[month]))
    _print(f"Every client, scored by what was learned from the other {count - 1} of {count} parts", measures)
    return measures


def _print(title: str, measures: Sequence[Measure]) -> None:
    table = Table(title=title, title_justify="left")
    for name in ("as of", "late in", "model", "clients", "AUC [95%]", "never late", "early-warning AUC [95%]", "ECE"):
        table.add_column(name, no_wrap=True)
    for one in measures:
        table.add_row(
            one.as_of, one.outcome_month, one.model, f"{one.clients:,}", str(one.auc), f"{one.early_clients:,}",
            str(one.early_auc), f"{one.calibration_error:.4f}",
        )  # fmt: skip
    print_table(table)
