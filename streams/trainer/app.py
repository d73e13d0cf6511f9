"""The trainer as a Faust app: one agent over its topics, in its own process, so that learning never slows scoring."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faust
import structlog

from loanpulse.broker.producer import DurableProducer
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.confluent_registry import open_registry
from loanpulse.schemas.topics import full_name
from loanpulse.schemas.units import DAY_MS
from loanpulse.settings import Settings
from loanpulse.settings.broker import producer_properties
from loanpulse.streams.faust_kafka.consumer_offsets import ConsumerOffsets
from loanpulse.streams.faust_kafka.process import execute
from loanpulse.streams.faust_kafka.settings import faust_settings
from loanpulse.streams.faust_kafka.transport import BatchSchema, install
from loanpulse.streams.from_settings import load_policy
from loanpulse.streams.learning.labels import LabelOptions
from loanpulse.streams.learning.learning_loop import LearningState
from loanpulse.streams.learning.trainer import TrainerOptions
from loanpulse.streams.trainer import state_file
from loanpulse.streams.trainer.audit_groups import read_groups
from loanpulse.streams.trainer.process import INPUTS, TrainerProcess

log = structlog.get_logger(__name__)

STEP_SECONDS = 0.5
REPORT_SECONDS = 10.0


def label_options(settings: Settings) -> LabelOptions:
    """Return the horizons, sampling and lateness of labels, as configured."""
    return LabelOptions(
        tuple(settings.learning.horizons),
        round(settings.learning.prediction_interval_days * DAY_MS),
        round(settings.streams.allowed_lateness_days * DAY_MS),
    )


def trainer_options(settings: Settings) -> TrainerOptions:
    """Return the configured options of the trainer.

    Raises:
        PolicyError: the policy file can't be used.
    """
    index = load_policy(settings).file.index
    return TrainerOptions(
        neutral_pd=index.neutral_pd,
        neutral_utility=index.neutral_utility,
        horizon_days=settings.learning.horizons[0],
        examples_per_version=settings.learning.examples_per_version,
        team_capacity_per_day=settings.learning.team_capacity_per_day,
    )


def build(settings: Settings) -> Any:
    """Wire the app.

    Raises:
        PolicyError: the policy file can't be used.
        TrainerStateError: the stored state can't be used.
        GroupsFileError: the table of groups can't be used.
        OSError: a file can't be read.
        RegistryUnavailable: the schema registry can't be reached.
    """
    prefix, folder = settings.topics.prefix, Path(settings.learning.data_dir)
    state = state_file.restore(folder)
    if state is None:
        state = LearningState.new(label_options(settings), trainer_options(settings))
    options = faust_settings(settings) | {"datadir": settings.learning.data_dir}
    install()
    app = faust.App(f"{prefix}{settings.streams.consumer_group}-trainer", **options)
    names = tuple(full_name(name, prefix) for name in INPUTS)
    inputs = app.topic(*names, schema=BatchSchema(), key_type=bytes, value_type=bytes)

    offsets = ConsumerOffsets(app)
    process = TrainerProcess(
        state,
        Codec(open_registry(settings.registry), prefix),
        DurableProducer(producer_properties(settings)),
        folder,
        settings.topics.partitions,
        offsets.caught_up,
        prefix,
        read_groups(Path(settings.learning.audit_groups_path)) if settings.learning.audit_groups_path else {},
        settings.learning.checkpoint_seconds,
    )
    TrainerTasks(app, process, offsets).add_to_app(inputs)
    return app


@dataclass(frozen=True, slots=True)
class TrainerTasks:
    """The trainer's agent and tasks in Faust's event loop; one thread runs the process, a batch or step at a time."""

    app: Any
    process: TrainerProcess
    offsets: ConsumerOffsets
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "trainer"))

    def add_to_app(self, inputs: Any) -> None:
        """Register agent and tasks with the app; ``inputs`` is the channel of all input topics."""
        self.app.agent(inputs, name="training-examples", concurrency=1)(self.read_inputs)
        self.app.task(self.run_steps)
        self.app.task(self.report)

    async def _on_thread(self, work: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.thread, work, *arguments)

    async def read_inputs(self, stream: Any) -> None:
        """Pass every batch to the process; the app crashes, and is restarted, if one fails."""
        async for event in stream.events():
            message = event.message
            try:
                await self._on_thread(self.process.take, message.topic, message.partition, message.value)
            except Exception as error:
                log.error("processing a batch failed", topic=message.topic, partition=message.partition, exc_info=True)
                await self.app.crash(error)
                return

    async def run_steps(self) -> None:
        """Run a step every ``STEP_SECONDS`` and commit the offsets that it made durable."""
        try:
            while not self.app.should_stop:
                await asyncio.sleep(STEP_SECONDS)
                durable = await self._on_thread(self.process.step)
                if durable:
                    await self.offsets.commit(durable)
        except Exception as error:
            log.error("a step failed", exc_info=True)
            await self.app.crash(error)

    async def report(self) -> None:
        """Log the progress every ``REPORT_SECONDS``."""
        while not self.app.should_stop:
            await asyncio.sleep(REPORT_SECONDS)
            counts, state = self.process.counts, self.process.state
            log.info(
                "learning",
                records=counts.records,
                undecodable=counts.undecodable,
                leaks=state.labeller.leaks,
                waiting=sum(queue.waiting for queue in tuple(state.labeller.queues.values())),
                examples=counts.examples,
                learned=state.examples.trainer.examples,
                in_force=state.examples.trainer.in_force_version,
            )


def run(settings: Settings) -> None:
    """Run the trainer until SIGINT or SIGTERM; ends the process with its exit code. Raises like ``build``."""
    Path(settings.learning.data_dir).mkdir(parents=True, exist_ok=True)
    execute(build(settings))
