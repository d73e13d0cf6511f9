"""The `loanpulse` command."""

import typer

from loanpulse.commands import (
    alerts,
    backtest,
    config,
    demo,
    doctor,
    evaluate,
    export,
    forget,
    loader,
    models,
    policy,
    publish,
    query,
    replay,
    report,
    simulate,
    topics,
    trainer,
    worker,
)

app = typer.Typer(
    name="loanpulse",
    help="A streaming monitor of borrowers' liquidity: events in, a Liquidity Health Index and alerts out.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("demo", rich_help_panel="Try it")(demo.demo)
app.command("replay", rich_help_panel="Try it")(replay.replay)
app.command("backtest", rich_help_panel="Try it")(backtest.backtest)
app.add_typer(evaluate.app, name="evaluate", rich_help_panel="Try it")
app.command("publish", rich_help_panel="Send events")(publish.publish)
app.command("simulate", rich_help_panel="Send events")(simulate.simulate)
app.command("worker", rich_help_panel="Run")(worker.worker)
app.command("trainer", rich_help_panel="Run")(trainer.trainer)
app.command("loader", rich_help_panel="Run")(loader.loader)
app.add_typer(topics.app, name="topics", rich_help_panel="Run")
app.command("migrate", rich_help_panel="Run")(loader.migrate)
app.add_typer(policy.app, name="policy", rich_help_panel="Operate")
app.add_typer(alerts.app, name="alerts", rich_help_panel="Look")
app.command("query", rich_help_panel="Look", context_settings=query.TAKES_ANY_OPTION)(query.query)
app.command("report", rich_help_panel="Look")(report.report)
app.command("export", rich_help_panel="Look")(export.export)
app.add_typer(models.app, name="models", rich_help_panel="Look")
app.command("config", rich_help_panel="Operate")(config.config)
app.command("forget", rich_help_panel="Operate")(forget.forget)
app.command("doctor", rich_help_panel="Operate")(doctor.doctor)


def main() -> None:
    """Run the command line."""
    app()
