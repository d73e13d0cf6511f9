"""`loanpulse evaluate`: how good the engine is, against a truth that it never saw."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.markdown import Markdown
from rich.progress import Progress, SpinnerColumn, TextColumn

from loanpulse.city.plan import CityPlan, PlanError
from loanpulse.commands import evaluate_uci
from loanpulse.commands.console import FAILURE, USAGE_ERROR, ConfigOption, configured, err, fail, failures, out
from loanpulse.evaluation import evaluation as evaluations
from loanpulse.evaluation import report as reports
from loanpulse.evaluation.city_run import Run, run_city
from loanpulse.evaluation.gradient_boosting import MissingExtra, need_scikit_learn
from loanpulse.settings import Settings
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.policy.policy_file import PolicyError

START = datetime(2026, 1, 1, tzinfo=UTC)
BORROWERS_AN_ALERT = 200
"""The budget where none is given: one alert a day for so many borrowers."""
TEACHER_AHEAD = 1_000
LATE, TWICE, SHUFFLED = 0.01, 0.005, 0.03
"""The shares of the city's events that come late, twice or out of order, as in life."""

app = typer.Typer(no_args_is_help=True, help="Score the engine against what is known to have happened.")


@app.callback()
def evaluate() -> None:
    """Score the engine against what is known to have happened."""


@app.command("city")
def city(
    seed: Annotated[int, typer.Option(help="Seed of the city that is judged.", min=0)] = 1,
    borrowers: Annotated[int, typer.Option(help="Households in each of the two cities.", min=1)] = 400,
    days: Annotated[int, typer.Option(help=f"Days to simulate, {evaluations.LEAST_DAYS} or more.", min=1)] = 420,
    teacher_seed: Annotated[
        int | None,
        typer.Option(help="Seed of the city that trees and thresholds learn from; otherwise the seed + 1000.", min=0),
    ] = None,
    also: Annotated[
        list[int] | None,
        typer.Option(help="Seed of a further city for the table of headlines; may be given more than once.", min=0),
    ] = None,
    life_events: Annotated[float, typer.Option(help="Adverse life events per borrower and year.")] = 0.5,
    budget: Annotated[
        float,
        typer.Option(help=f"Alerts a team works a day; 0 is one for {BORROWERS_AN_ALERT} borrowers.", min=0.0),
    ] = 0.0,
    boosting: Annotated[bool, typer.Option(help="Compare with boosted trees, which take scikit-learn.")] = True,
    json: Annotated[Path | None, typer.Option(help="Write every figure to this JSON file.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report to this Markdown file.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 where a target is missed.")] = False,
    config: ConfigOption = None,
) -> None:
    """Simulate a city, replay it through the engine, and score what it said against the truth.

    The figures stand beside three baselines from the same run: one day past due, a balance under one instalment, and
    boosted trees trained on another city. The same options give the same figures. It takes a minute or two.
    """
    settings = configured(config)
    teacher = seed + TEACHER_AHEAD if teacher_seed is None else teacher_seed
    if teacher == seed:
        fail("--teacher-seed must differ from --seed: what was learned is judged on another city.", USAGE_ERROR)
    with failures(evaluations.EvaluationError, MissingExtra, PolicyError, OSError):
        evaluations.period_of(days)
        if boosting:
            need_scikit_learn()
        beside = [
            evaluations.headline(_run(_plan(settings, one, borrowers, days, life_events), settings))
            for one in also or ()
        ]
        runs = [_run(_plan(settings, one, borrowers, days, life_events), settings) for one in (seed, teacher)]
        a_day = budget or borrowers / BORROWERS_AN_ALERT
        found = evaluations.evaluate(runs[0], runs[1], a_day, beside=beside, boosting=boosting)
        command = f"loanpulse evaluate city --seed {seed} --borrowers {borrowers} --days {days}"
        command += f" --teacher-seed {teacher}" if teacher_seed is not None else ""
        command += "".join(f" --also {one}" for one in also or ())
        command += f" --life-events {life_events:g}" if life_events != 0.5 else ""
        command += f" --budget {budget:g}" if budget else ""
        command += "" if boosting else " --no-boosting"
        page = reports.markdown(found, f"{command} --report docs/evaluation.md")
        if json is not None:
            json.write_bytes(orjson.dumps(_figures(found), option=orjson.OPT_INDENT_2))
        if report is not None:
            report.write_text(page, encoding="utf-8")
    targets = [(one.seed, target) for one in (found.headline, *found.beside) for target in reports.targets(one)]
    if report is None:
        out.print(Markdown(page))
    else:
        for of_seed, target in targets:
            met = "met   " if target.met else "missed"
            text = f"{met} seed {of_seed}: {target.name}: {target.measured} (asked: {target.asked})"
            out.print(text, highlight=False, soft_wrap=True)
    if check and not all(target.met for _, target in targets):
        raise typer.Exit(FAILURE)


def _figures(found: evaluations.Evaluation) -> dict[str, object]:
    targets = [dataclasses.asdict(target) for target in reports.targets(found.headline)]
    return {**dataclasses.asdict(found), "targets": targets}


def _plan(settings: Settings, seed: int, borrowers: int, days: int, life_events: float) -> CityPlan:
    try:
        return CityPlan(
            borrowers,
            seed,
            START,
            days,
            currency=settings.streams.currency,
            late_share=LATE,
            duplicate_share=TWICE,
            shuffle_share=SHUFFLED,
            life_event_rate=life_events,
        )
    except PlanError as error:
        fail(str(error), USAGE_ERROR)


def _run(plan: CityPlan, settings: Settings) -> Run:
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=err, transient=True) as progress:
        task = progress.add_task(f"city {plan.seed}: starting")
        return run_city(
            plan,
            engine_options(settings),
            load_policy(settings),
            lambda events: progress.update(task, description=f"city {plan.seed}: {events:,} events"),
        )


app.command("uci")(evaluate_uci.uci)
