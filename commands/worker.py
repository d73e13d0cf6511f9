"""`loanpulse worker`: folds events into borrowers' records and scores them."""

import typer

from loanpulse.commands import topics_admin
from loanpulse.commands.console import ConfigOption, configured, fail, failures
from loanpulse.schemas.registry import RegistryUnavailable
from loanpulse.settings import SettingsError
from loanpulse.streams.policy.policy_file import PolicyError
from loanpulse.streams.worker.directive_reader import DirectiveTopicsError


def worker(config: ConfigOption = None) -> None:
    """Run a worker: it folds events into borrowers' records, scores them, and publishes snapshots and alerts.

    Start several to share the partitions. You can stop or kill a worker at any time: the next one restores the state
    from the changelog. After a crash some outputs are published again, with the same ids.
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
