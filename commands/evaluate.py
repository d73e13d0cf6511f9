"""`loanpulse evaluate`: measure the engine against a truth that it never saw."""

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
from loanpulse.commands.old_names import renamed_option
from loanpulse.evaluation.city_run import Run, run_city
from loanpulse.evaluation.evaluation import LEAST_DAYS, Evaluation, EvaluationError, evaluate, headline, period_of
from loanpulse.evaluation.gradient_boosting import MissingExtra, need_scikit_learn
from loanpulse.evaluation.report import markdown, targets
from loanpulse.settings import Settings
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.policy.policy_file import PolicyError

START = datetime(2026, 1, 1, tzinfo=UTC)
BORROWERS_AN_ALERT = 200
"""The default budget is one alert a day for this many borrowers."""
TRAINING_SEED_OFFSET = 1_000
LATE_SHARE, DUPLICATE_SHARE, SHUFFLED_SHARE = 0.01, 0.005, 0.03
"""The shares of the city's events that are late, duplicated or out of order."""

app = typer.Typer(no_args_is_help=True, help="Measure the engine against known outcomes.")


@app.callback()
def commands() -> None:
    """Measure the engine against known outcomes."""


@app.command("city")
def city(
    seed: Annotated[int, typer.Option(help="Seed of the city that is measured.", min=0)] = 1,
    borrowers: Annotated[int, typer.Option(help="Households in each of the two cities.", min=1)] = 400,
    days: Annotated[int, typer.Option(help=f"Days to simulate, at least {LEAST_DAYS}.", min=1)] = 420,
    training_seed: Annotated[
        int | None,
        typer.Option(help="Seed of the city that trees and thresholds are fitted on. Default: seed + 1000.", min=0),
    ] = None,
    also: Annotated[
        list[int] | None,
        typer.Option(help="Seed of another city for the table of headlines; repeatable.", min=0),
    ] = None,
    life_events: Annotated[float, typer.Option(help="Adverse life events per borrower and year.")] = 0.5,
    budget: Annotated[
        float,
        typer.Option(help=f"Alerts a team can work in a day; 0: one for {BORROWERS_AN_ALERT} borrowers.", min=0.0),
    ] = 0.0,
    boosting: Annotated[bool, typer.Option(help="Compare with boosted trees (needs scikit-learn).")] = True,
    json: Annotated[Path | None, typer.Option(help="Write every figure to this JSON file.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report to this Markdown file.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 if a target is missed.")] = False,
    teacher_seed: Annotated[int | None, typer.Option(hidden=True, min=0)] = None,
    config: ConfigOption = None,
) -> None:
    """Simulate a city, replay it through the engine, and compare its output with the truth.

    The figures are shown beside three baselines on the same run: one day past due, a balance under one instalment, and
    boosted trees trained on another city. The same options give the same figures. It takes a minute or two.
    """
    settings = configured(config)
    training_seed = renamed_option("--teacher-seed", teacher_seed, "--training-seed", training_seed)
    trained_on = seed + TRAINING_SEED_OFFSET if training_seed is None else training_seed
    if trained_on == seed:
        fail("--training-seed must differ from --seed: models are measured on a city they were not fitted on.",
             USAGE_ERROR)  # fmt: skip
    with failures(EvaluationError, MissingExtra, PolicyError, OSError):
        period_of(days)
        if boosting:
            need_scikit_learn()
        beside = [headline(_run(_plan(settings, one, borrowers, days, life_events), settings)) for one in also or ()]
        runs = [_run(_plan(settings, one, borrowers, days, life_events), settings) for one in (seed, trained_on)]
        a_day = budget or borrowers / BORROWERS_AN_ALERT
        found = evaluate(runs[0], runs[1], a_day, beside=beside, boosting=boosting)
        command = f"loanpulse evaluate city --seed {seed} --borrowers {borrowers} --days {days}"
        command += f" --training-seed {trained_on}" if training_seed is not None else ""
        command += "".join(f" --also {one}" for one in also or ())
        command += f" --life-events {life_events:g}" if life_events != 0.5 else ""
        command += f" --budget {budget:g}" if budget else ""
        command += "" if boosting else " --no-boosting"
        page = markdown(found, f"{command} --report docs/evaluation.md")
        if json is not None:
            json.write_bytes(orjson.dumps(_figures(found), option=orjson.OPT_INDENT_2))
        if report is not None:
            report.write_text(page, encoding="utf-8")
    measured = [(one.seed, target) for one in (found.headline, *found.beside) for target in targets(one)]
    if report is None:
        out.print(Markdown(page))
    else:
        for of_seed, target in measured:
            met = "met   " if target.met else "missed"
            text = f"{met} seed {of_seed}: {target.name}: {target.measured} (target: {target.asked})"
            out.print(text, highlight=False, soft_wrap=True)
    if check and not all(target.met for _, target in measured):
        raise typer.Exit(FAILURE)


def _figures(found: Evaluation) -> dict[str, object]:
    headline_targets = [dataclasses.asdict(target) for target in targets(found.headline)]
    return {**dataclasses.asdict(found), "targets": headline_targets}


def _plan(settings: Settings, seed: int, borrowers: int, days: int, life_events: float) -> CityPlan:
    try:
        return CityPlan(
            borrowers,
            seed,
            START,
            days,
            currency=settings.streams.currency,
            late_share=LATE_SHARE,
            duplicate_share=DUPLICATE_SHARE,
            shuffle_share=SHUFFLED_SHARE,
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
