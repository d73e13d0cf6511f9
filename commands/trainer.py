"""`loanpulse trainer`: labels snapshots when their outcome is known, and learns from them."""

import typer

from loanpulse.commands import topics_admin
from loanpulse.commands.console import ConfigOption, configured, fail, failures
from loanpulse.schemas.registry import RegistryUnavailable
from loanpulse.settings import SettingsError
from loanpulse.streams.learning.fairness import GroupsFileError
from loanpulse.streams.policy.policy_file import PolicyError
from loanpulse.streams.trainer.state_file import TrainerStateError


def trainer(config: ConfigOption = None) -> None:
    """Run the trainer: it labels snapshots when their outcome is known, learns from them, and publishes models.

    Run one of it. It can be stopped or killed at any moment and goes on where it stood; after a day down it catches
    up from its topics. Workers don't wait for it.
    """
    from loanpulse.streams.trainer.app import run

    settings = configured(config)
    expected = (
        topics_admin.BrokerUnreachableError, RegistryUnavailable, PolicyError, SettingsError, TrainerStateError,
        GroupsFileError, OSError,
    )  # fmt: skip
    with failures(*expected):
        problems = topics_admin.check_topics(settings, topics_admin.TIMEOUT_SECONDS)
        if problems:
            fail(f"{problems[0].what}: {problems[0].remedy}.")
        run(settings)
    raise typer.Exit(0)
