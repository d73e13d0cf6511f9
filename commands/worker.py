"""`loanpulse worker`: folds events into borrowers and scores them."""

import typer

from loanpulse.commands import topics_admin
from loanpulse.commands.console import ConfigOption, configured, fail, failures
from loanpulse.schemas.registry import RegistryUnavailable
from loanpulse.settings import SettingsError
from loanpulse.streams.policy.policy_file import PolicyError
from loanpulse.streams.worker.directive_reader import DirectiveTopicsError


def worker(config: ConfigOption = None) -> None:
    """Run a worker: it folds events into borrowers' state, scores them, and sends snapshots and alerts.

    Start more of them to share the partitions. A worker can be stopped or killed at any moment; the next one takes
    up from the changelog, and nothing is lost or doubled.
    """
    from loanpulse.streams.worker.process import run

    settings = configured(config)
    with failures(
        topics_admin.BrokerUnreachableError, RegistryUnavailable, PolicyError, SettingsError, DirectiveTopicsError
    ):
        problems = topics_admin.check_topics(settings, topics_admin.TIMEOUT_SECONDS)
        if problems:
            fail(f"{problems[0].what}: {problems[0].remedy}.")
        run(settings)
    raise typer.Exit(0)
