"""The trainer as a Faust app of its own: one agent over its topics, so that learning never slows scoring."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import faust
import structlog

from loanpulse.broker.producer import DurableProducer
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import open_registry
from loanpulse.schemas.topics import full_name
from loanpulse.settings import Settings
from loanpulse.settings.broker import producer_properties
from loanpulse.streams.faust_kafka.consumer_offsets import ConsumerOffsets
from loanpulse.streams.faust_kafka.process import execute
from loanpulse.streams.faust_kafka.settings import faust_settings
from loanpulse.streams.faust_kafka.transport import BatchSchema, install
from loanpulse.streams.from_settings import load_policy
from loanpulse.streams.learning.labels import DAY_MS, LabelOptions
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
    """Return how the trainer learns, as configured.

    Raises:
        PolicyError: the policy file can't be used.
    """
    index = load_policy(settings).file.index
    return TrainerOptions(
        neutral_pd=index.neutral_pd,
        neutral_utility=index.neutral_utility,
        horizon_days=settings.learning.horizons[0],
        version_examples=settings.learning.examples_per_version,
        budget_per_day=settings.learning.team_capacity_per_day,
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
    _wire(app, inputs, process, offsets)
    return app


def _wire(app: Any, inputs: Any, process: TrainerProcess, offsets: ConsumerOffsets) -> None:
    # One thread touches the state; batches and steps come to it one after the other.
    thread = ThreadPoolExecutor(1, "trainer")

    async def on_thread(work: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(thread, work, *arguments)

    async def training_examples(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            try:
                await on_thread(process.take, message.topic, message.partition, message.value)
            except Exception as error:
                log.error("a batch could not be taken", topic=message.topic, partition=message.partition, exc_info=True)
                await app.crash(error)
                return

    async def steps() -> None:
        try:
            while not app.should_stop:
                await asyncio.sleep(STEP_SECONDS)
                durable = await on_thread(process.step)
                if durable:
                    await offsets.commit(durable)
        except Exception as error:
            log.error("a step could not be made", exc_info=True)
            await app.crash(error)

    async def report() -> None:
        while not app.should_stop:
            await asyncio.sleep(REPORT_SECONDS)
            counts, state = process.counts, process.state
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

    app.agent(inputs, name="training-examples", concurrency=1)(training_examples)
    app.task(steps)
    app.task(report)


def run(settings: Settings) -> None:
    """Run the trainer until SIGINT or SIGTERM; ends the process with its exit code. Raises like ``build``."""
    Path(settings.learning.data_dir).mkdir(parents=True, exist_ok=True)
    execute(build(settings))
