"""`loanpulse doctor`: the problems of a deployment, each with a remedy."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import orjson
import typer

from loanpulse.commands import topics_admin
from loanpulse.commands.console import FAILURE, ConfigOption, configured, out
from loanpulse.commands.topics_admin import Problem
from loanpulse.schemas import contracts
from loanpulse.schemas.confluent_registry import open_registry
from loanpulse.schemas.registry import RegistryUnavailable, UnknownSchema
from loanpulse.schemas.topics import TOPICS
from loanpulse.settings import Settings
from loanpulse.sinks.endpoint import read_endpoint
from loanpulse.sinks.migrate import MigrationError, load_migrations
from loanpulse.sinks.query_client import run_query
from loanpulse.sinks.warehouse import WarehouseError, WarehouseUnreachableError
from loanpulse.streams.from_settings import load_policy
from loanpulse.streams.policy.policy_file import PolicyError

Check = Callable[[Settings], Iterator[Problem]]


def doctor(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines instead of text.")] = False,
) -> None:
    """Check the configuration, broker, topics, schemas, warehouse and policy; print each problem with its remedy.

    The exit code is 1 if there is a problem.
    """
    settings = configured(config)
    problem_count = 0
    for name, check in CHECKS.items():
        problems = list(check(settings))
        problem_count += len(problems)
        if as_json:
            problem_rows = [{"what": p.what, "remedy": p.remedy} for p in problems]
            typer.echo(orjson.dumps({"check": name, "ok": not problems, "problems": problem_rows}))
            continue
        out.print(f"[green]ok[/]     {name}" if not problems else f"[red]wrong[/]  {name}", highlight=False)
        for problem in problems:
            out.print(f"       {problem.what}", markup=False, highlight=False, soft_wrap=True)
            out.print(f"       -> {problem.remedy}", markup=False, highlight=False, soft_wrap=True)
    if problem_count:
        raise typer.Exit(FAILURE)


def _topics(settings: Settings) -> Iterator[Problem]:
    try:
        yield from topics_admin.check_topics(settings)
    except topics_admin.BrokerUnreachableError as error:
        what, _, remedy = str(error).partition("; ")
        yield Problem(what, remedy)


def _schemas(settings: Settings) -> Iterator[Problem]:
    if not settings.registry.url:
        return  # the local registry is part of the package
    try:
        registry = open_registry(settings.registry)
        for topic in TOPICS:
            if topic.contract is None:
                continue
            subject = settings.topics.prefix + topic.subject
            if not registry.is_registered(subject, contracts.load(topic.contract)):
                yield Problem(
                    f"the contract {topic.contract} is not registered under {subject}",
                    "run `loanpulse topics register`",
                )
    except (RegistryUnavailable, UnknownSchema) as error:
        yield Problem(str(error), "check that it runs, and registry.url, registry.username and registry.password")


def _warehouse(settings: Settings) -> Iterator[Problem]:
    warehouse = settings.warehouse
    folder = Path(warehouse.path)
    if warehouse.kind == "embedded" and not (folder / "tables").exists():
        yield Problem(
            f"there is no embedded warehouse in {folder}",
            "run `loanpulse warehouse migrate`, or start `loanpulse load`",
        )
        return
    try:
        rows = run_query(warehouse, "SELECT number, checksum FROM schema_migrations").to_pylist()
    except WarehouseUnreachableError as error:
        if read_endpoint(folder) is None or warehouse.kind == "server":
            yield Problem(str(error), "start it, or correct [warehouse] in the configuration")
        return
    except WarehouseError:
        rows = []
    yield from _migrations({int(row["number"]): str(row["checksum"]) for row in rows})


def _migrations(applied: dict[int, str]) -> Iterator[Problem]:
    try:
        known = load_migrations()
    except MigrationError as error:
        yield Problem(str(error), "install Loanpulse again")
        return
    pending = [migration.name for migration in known if migration.number not in applied]
    if pending:
        yield Problem(
            f"the warehouse lacks {len(pending)} migrations, the first is {pending[0]}",
            "run `loanpulse warehouse migrate`",
        )
    for migration in known:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            yield Problem(
                f"migration {migration.name} differs from the one that was applied",
                "use the Loanpulse version that applied it, or a newer one",
            )


def _policy(settings: Settings) -> Iterator[Problem]:
    try:
        load_policy(settings)
    except PolicyError as error:
        yield Problem(str(error), "correct the policy file, or empty policy.path to use the packaged one")


CHECKS: dict[str, Check] = {
    "broker and topics": _topics,
    "schemas": _schemas,
    "warehouse": _warehouse,
    "policy": _policy,
}
