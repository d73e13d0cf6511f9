"""`loanpulse trainer`: labels snapshots with their outcomes and learns from them."""

import typer

from loanpulse.commands import topics_admin
from loanpulse.commands.console import ConfigOption, configured, fail, failures
from loanpulse.schemas.registry import RegistryUnavailable
from loanpulse.settings import SettingsError
from loanpulse.streams.policy.policy_file import PolicyError
from loanpulse.streams.trainer.audit_groups import GroupsFileError
from loanpulse.streams.trainer.state_file import TrainerStateError


def trainer(config: ConfigOption = None) -> None:
    """Run the trainer: it labels snapshots when their outcomes are known, learns from them, and publishes models.

    Run exactly one. You can stop or kill it at any time: it resumes from its last checkpoint and catches up from its
    topics. Workers don't wait for it.
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
