"""`loanpulse simulate`: a simulated city's events, to the topics or to a file."""

import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import structlog
import typer

from loanpulse.city import writers
from loanpulse.city.plan import DEFAULT_LENDERS, CityPlan, PlanError
from loanpulse.city.simulation import City
from loanpulse.city.throttle import throttled
from loanpulse.city.truth import TruthWriter, ignore
from loanpulse.commands import topics_admin
from loanpulse.commands.console import USAGE_ERROR, ConfigOption, configured, fail, failures, spare_inputs, warn
from loanpulse.schemas import json_form
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.confluent_registry import open_registry
from loanpulse.schemas.registry import RegistryUnavailable
from loanpulse.schemas.units import DAY_MS
from loanpulse.settings.broker import producer_properties

log = structlog.get_logger(__name__)

HISTORY_DAYS = 120
AS_FAST_AS_POSSIBLE = "max"
FUTURE_SECONDS = 86_400


def simulate(
    borrowers: Annotated[int, typer.Option(help="Households in the city.", min=1)] = 300,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city.", min=0)] = 1,
    days: Annotated[int, typer.Option(help="Days to simulate; 0: no end.", min=0)] = 0,
    start: Annotated[str, typer.Option(help=f"Start (ISO 8601 with offset). Default: {HISTORY_DAYS} days ago.")] = "",
    speed: Annotated[
        str, typer.Option(help="Multiple of real time after the history, such as 600; `max`: as fast as possible.")
    ] = "1",
    history_days: Annotated[
        int, typer.Option(help="Days of history at the start, published at full speed.", min=0)
    ] = HISTORY_DAYS,
    out: Annotated[Path | None, typer.Option(help="Write JSON Lines to this file instead of the topics.")] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Write the true life events and defaults to this file, for evaluation only.")
    ] = None,
    lenders: Annotated[str, typer.Option(help="Lenders in the city, separated by commas.")] = ",".join(DEFAULT_LENDERS),
    late: Annotated[float, typer.Option(help="Share of events published hours to three days late.")] = 0.0,
    too_late: Annotated[float, typer.Option(help="Share published 8 to 20 days late; these are refused.")] = 0.0,
    duplicates: Annotated[float, typer.Option(help="Share of events published twice.")] = 0.0,
    out_of_order: Annotated[float, typer.Option(help="Share of events published minutes late.")] = 0.0,
    malformed: Annotated[float, typer.Option(help="Share of events that also get a malformed copy.")] = 0.0,
    life_events: Annotated[float, typer.Option(help="Adverse life events per borrower and year.")] = 0.5,
    config: ConfigOption = None,
) -> None:
    """Simulate a city: households that earn, spend, pay bills and loans, and run into trouble.

    Trouble shows in the events before it shows in missed instalments. The truth goes to --truth only, never to a
    topic. The same options give the same events. Ctrl-C stops.
    """
    # Its length is its options: one for each that a user may set.
    settings = configured(config)
    try:
        plan = CityPlan(
            borrowers,
            seed,
            _start(start),
            days or None,
            tuple(name.strip() for name in lenders.split(",")),
            settings.streams.currency,
            late,
            too_late,
            duplicates,
            out_of_order,
            malformed,
            life_events,
        )
    except PlanError as error:
        fail(str(error), USAGE_ERROR)
    multiple = _multiple(speed)
    ahead = multiple is None or multiple > 1
    if out is None and not days and ahead and settings.streams.max_clock_skew_seconds < FUTURE_SECONDS:
        warn(
            "the city's clock will run ahead of this machine's, and workers refuse events from the future: raise "
            "streams.max_clock_skew_seconds to the time you simulate, or use --speed 1."
        )
    if out is not None and not days:
        fail("--out needs --days: a file must have an end.", USAGE_ERROR)
    spare_inputs([], out, truth)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    writer = TruthWriter(truth) if truth else None
    records = throttled(
        City(plan, writer or ignore).events(),
        multiple if out is None else None,
        from_ms=plan.start_ms + history_days * DAY_MS,
        should_stop=stop.is_set,
    )
    with failures(topics_admin.BrokerUnreachableError, RegistryUnavailable, OSError):
        codec = Codec(open_registry(settings.registry), settings.topics.prefix)
        if out is not None:
            count = writers.write_lines(records, out, Codec(open_registry(settings.registry)), _progress)
        else:
            _need_topics(settings_problems=topics_admin.check_topics(settings))
            properties, prefix = producer_properties(settings), settings.topics.prefix
            count = writers.publish(records, properties, codec, prefix, _progress, stop.is_set)
    if writer is not None:
        writer.close()
    log.info("simulation finished", events=count)


def _need_topics(settings_problems: list[topics_admin.Problem]) -> None:
    for problem in settings_problems:
        fail(f"{problem.what}: {problem.remedy}.")


def _start(text: str) -> datetime:
    if not text:
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=HISTORY_DAYS)
    try:
        return json_form.parse_time(text)
    except ValueError:
        fail(f'--start {text!r} is not a time with an offset, such as "2026-01-01T00:00:00Z".', USAGE_ERROR)


def _multiple(text: str) -> float | None:
    if text == AS_FAST_AS_POSSIBLE:
        return None
    try:
        multiple = float(text)
    except ValueError:
        multiple = 0.0
    if multiple <= 0:
        fail(f"--speed {text!r} must be a number above 0, or {AS_FAST_AS_POSSIBLE}.", USAGE_ERROR)
    return multiple


def _progress(count: int, at_ms: int) -> None:
    if count % 50_000 == 0:
        log.info("simulating", events=count, date=f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}")
