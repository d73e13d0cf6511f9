"""Measures Loanpulse on this machine, beside the raw limits and a plain Faust agent, in one run.

Prints a table and writes benchmarks/results/latest.json. Everything runs on the embedded broker on the same cores.
"""

import argparse
import asyncio
import ctypes
import gc
import json
import os
import platform
import re
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiokafka
import psutil
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from rich.console import Console
from rich.table import Table

from benchmarks import learning, load
from loanpulse.commands import child, topics_admin
from loanpulse.commands.embedded_broker import EmbeddedBroker
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.sources import EVENT_CONTRACTS
from loanpulse.schemas.topics import (
    EVENT_TOPICS,
    LIQUIDITY_ALERTS,
    LIQUIDITY_SNAPSHOTS,
    REPAYMENT_EVENTS,
    SPENDING_EVENTS,
)
from loanpulse.settings import Settings
from loanpulse.settings import load as load_settings
from loanpulse.settings.broker import consumer_properties, librdkafka_properties, producer_properties
from loanpulse.streams.alerts.snapshots import SnapshotEncoder
from loanpulse.streams.engine.decode import RecordBatch
from loanpulse.streams.engine.engine import Engine
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.worker.disk_memory import on_disk
from loanpulse.streams.worker.warm_up import warm_up

RESULTS = Path(__file__).with_name("results") / "latest.json"
PARTITIONS = 4
PLAIN_EVENTS = 12_000
Figures = dict[str, float]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--borrowers", type=int, default=100_000)
    options.add_argument("--seconds", type=float, default=25.0, help="length of the latency run")
    chosen = options.parse_args()
    console = Console()
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as folder, EmbeddedBroker(Path(folder)) as broker:
        settings = deployment(broker, Path(folder), "b-")
        console.print("making the load …")
        log = load.city_log(chosen.borrowers, PARTITIONS)
        figures["events"] = load.size(log)
        stages(settings, log, figures, console)
        console.print("publishing …")
        figures["publish: events/s"] = load.publish(log, producer_properties(settings), settings.topics.prefix)
        raw_limits(settings, log, figures, console)
        console.print("end to end …")
        end_to_end(settings, Path(folder), log, figures)
        log.clear()
        gc.collect()
        console.print("plain agent …")
        plain_agent(broker, Path(folder), figures)
        console.print("latency …")
        latency(
            deployment(broker, Path(folder), "l-"),
            Path(folder),
            chosen.borrowers,
            figures["end to end: events/s"] / 2,
            chosen.seconds,
            figures,
        )
    console.print("learning …")
    learning.measure(figures)
    report(figures, console)


def deployment(broker: EmbeddedBroker, folder: Path, prefix: str) -> Settings:
    settings = load_settings(environment=environment(broker.bootstrap_servers, folder, prefix))
    topics_admin.create_topics(settings)
    return settings


def environment(servers: str, folder: Path, prefix: str) -> dict[str, str]:
    return {
        "LOANPULSE_BROKER__BOOTSTRAP_SERVERS": servers,
        "LOANPULSE_BROKER__PROFILE": "embedded",
        "LOANPULSE_TOPICS__PARTITIONS": str(PARTITIONS),
        "LOANPULSE_TOPICS__PREFIX": prefix,
        "LOANPULSE_STREAMS__DATA_DIR": str(folder / "streams"),
    }


def timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def sliced(source: int, partition: int, part: load.Part, start: int) -> RecordBatch:
    end = min(start + 5_000, len(part.keys))
    return RecordBatch.of(
        source, partition, range(start, end), part.timestamps[start:end], part.keys[start:end], part.values[start:end]
    )


def stages(settings: Settings, log: load.Log, figures: Figures, console: Console) -> None:
    """Each stage alone, in this process, on one core."""
    console.print("stages alone …")
    events = load.size(log)
    past_in_file = on_disk(Path(settings.streams.data_dir))
    engine = Engine(engine_options(settings), load_policy(settings), LocalRegistry(), allocate=past_in_file)
    warm_up(engine)
    codec = Codec(LocalRegistry())
    decoders = [engine._decoder._decoders[source] for source in range(len(EVENT_CONTRACTS))]
    figures["decode by columns: events/s"] = events / timed(
        lambda: [decoders[source].decode(part.values) for (source, _), part in log.items()]
    )
    some = next(part for (source, _), part in log.items() if source == 1).values[:20_000]
    figures["decode one by one (fastavro): events/s"] = len(some) / timed(
        lambda: [codec.decode(SPENDING_EVENTS, value) for value in some]
    )
    gc.collect()
    batches = [
        sliced(source, partition, part, start)
        for (source, partition), part in log.items()
        for start in range(0, len(part.keys), 5_000)
    ]
    give_back_memory()
    slices = held_memory()
    taking = timed(lambda: [engine.offer(batch) for batch in batches])
    figures["decode, check and project: events/s"] = events / taking
    gc.collect()
    scored = []
    partitions = list(engine.partitions.values())
    folding = timed(
        lambda: [scored.extend(one.advance(one.watermark.max_ms() + 1, inclusive=True)) for one in partitions]
    )
    figures["fold and score: events/s"] = events / folding
    snapshots = sum(len(one) for one in scored)
    figures["scorings per event"] = snapshots / events
    encoder = SnapshotEncoder(codec.schema_id(LIQUIDITY_SNAPSHOTS))
    figures["encode snapshots: snapshots/s"] = snapshots / timed(
        lambda: [encoder.encode(one.scores, one.keys, one.ids, "model", "policy") for one in scored]
    )
    scored.clear()
    give_back_memory()
    borrowers = engine.borrowers
    figures["borrowers"] = borrowers
    figures["bytes per borrower (growth of the process)"] = (held_memory() - slices) / borrowers
    held = sum(one.store.nbytes for one in partitions)
    figures["bytes per borrower (records and keys)"] = held / borrowers
    past = sum(one.store.undo_memory.nbytes for one in partitions)
    figures["bytes per borrower (the last days, in a file)"] = past / borrowers


def held_memory() -> int:
    """Return the bytes of this process that are not a file's, which the system may write out."""
    memory = psutil.Process().memory_info()
    return int(memory.rss - memory.shared)


def give_back_memory() -> None:
    """Let what is free go back to the system before what is held is counted."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def raw_limits(settings: Settings, log: load.Log, figures: Figures, console: Console) -> None:
    """How fast the clients alone hand over the same topics."""
    console.print("clients alone …")
    topics = [settings.topics.prefix + name for name in EVENT_TOPICS]
    places = [TopicPartition(topic, partition, 0) for topic in topics for partition in range(PARTITIONS)]
    consumer = Consumer(
        consumer_properties(settings, f"raw-{uuid.uuid4().hex[:6]}", **{"queued.min.messages": 200_000})
    )
    consumer.assign(places)
    wanted, got = load.size(log), 0
    began = time.perf_counter()
    while got < wanted:
        got += len(consumer.consume(10_000, 1.0))
    figures["confluent-kafka consume: events/s"] = got / (time.perf_counter() - began)
    consumer.close()
    figures["aiokafka getmany: events/s"] = asyncio.run(aiokafka_rate(settings, topics, wanted))


async def aiokafka_rate(settings: Settings, topics: list[str], wanted: int) -> float:
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=settings.broker.bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    consumer.assign([aiokafka.TopicPartition(topic, p) for topic in topics for p in range(PARTITIONS)])
    got, began = 0, time.perf_counter()
    while got < wanted:
        batches = await consumer.getmany(timeout_ms=1000, max_records=20_000)
        got += sum(len(batch) for batch in batches.values())
    rate = got / (time.perf_counter() - began)
    await consumer.stop()
    return rate


def end_to_end(settings: Settings, folder: Path, log: load.Log, figures: Figures) -> None:
    """One worker process over the whole log: decode, fold, state with changelog, score, publish."""
    wanted = {
        TopicPartition(settings.topics.prefix + EVENT_TOPICS[source], partition): len(part.keys)
        for (source, partition), part in log.items()
    }
    consumer = Consumer(consumer_properties(settings, settings.topics.prefix + settings.streams.consumer_group))
    log_file = folder / "worker.log"
    worker = child.spawn(
        [sys.executable, "-m", "loanpulse.commands", "worker"],
        log_file,
        environment(settings.broker.bootstrap_servers, folder, settings.topics.prefix),
    )
    try:
        while True:
            committed = consumer.committed(list(wanted), timeout=30)
            rest = sum(wanted[place] - max(place.offset, 0) for place in committed)
            if rest <= 0:
                ended = time.time()
                break
            assert worker.poll() is None, log_file.read_text()[-3000:]
            time.sleep(0.1)
        usage = psutil.Process(worker.pid)
        figures["worker: memory, MB"] = usage.memory_info().rss / 1e6
    finally:
        child.stop(worker)
        consumer.close()
    stamps = re.findall(r"(\d{4}-\S+Z).*partition recovered", log_file.read_text(), re.MULTILINE)
    began = max(datetime.fromisoformat(stamp).timestamp() for stamp in stamps)
    figures["end to end: events/s"] = load.size(log) / (ended - began)


def plain_agent(broker: EmbeddedBroker, folder: Path, figures: Figures) -> None:
    """The plain agent over spending events of its own deployment."""
    prefix = "p-"
    settings = deployment(broker, folder, prefix)
    client = AdminClient(librdkafka_properties(settings))
    name = f"{prefix}plain-spent-changelog"
    client.create_topics([NewTopic(name, PARTITIONS, 1, config={"cleanup.policy": "compact"})])[name].result(20)
    purchases = load.Purchases(1_000, PARTITIONS)
    producer = Producer(producer_properties(settings))
    producer.produce_batch(prefix + SPENDING_EVENTS, purchases.make(PLAIN_EVENTS))
    producer.flush()
    out = folder / "plain.json"
    process = child.spawn(
        [
            sys.executable,
            "-m",
            "benchmarks.plain_agent",
            broker.bootstrap_servers,
            prefix,
            str(PLAIN_EVENTS),
            str(out),
            str(PARTITIONS),
        ],
        folder / "plain.log",
    )
    deadline = time.monotonic() + 180
    while not (out.exists() and out.read_text()) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.2)
    child.stop(process)
    if not out.exists():
        raise SystemExit((folder / "plain.log").read_text()[-3000:])
    figures["plain Faust agent with a table write: events/s"] = json.loads(out.read_text())["events_per_second"]
    figures["times the plain agent"] = (
        figures["end to end: events/s"] / figures["plain Faust agent with a table write: events/s"]
    )


def latency(settings: Settings, folder: Path, borrowers: int, rate: float, seconds: float, figures: Figures) -> None:
    """Event to alert at a steady load: probes are write-offs, whose alert is due at once."""
    worker = child.spawn(
        [sys.executable, "-m", "loanpulse.commands", "worker"], folder / "latency.log",
        environment(settings.broker.bootstrap_servers, folder, settings.topics.prefix),
    )  # fmt: skip
    prefix = settings.topics.prefix
    codec = Codec(LocalRegistry(), prefix)
    purchases = load.Purchases(borrowers, PARTITIONS)
    producer = Producer(producer_properties(settings, **{"queue.buffering.max.messages": 1_000_000}))
    alerts = Consumer(consumer_properties(settings, f"probe-{uuid.uuid4().hex[:6]}"))
    alerts.assign([TopicPartition(prefix + LIQUIDITY_ALERTS, partition, 0) for partition in range(PARTITIONS)])
    sent: dict[str, float] = {}
    waits: dict[str, float] = {}
    made = 0
    began = time.monotonic()
    warm = 12.0
    late = 0.0
    while (now := time.monotonic()) < began + warm + seconds + 6.0:
        if now < began + warm + seconds:
            due = int((now - began) * rate) - made
            if due > 0:
                producer.produce_batch(prefix + SPENDING_EVENTS, purchases.make(min(due, 5_000)))
                made += min(due, 5_000)
                late = max(late, (due - 5_000) / rate)
            if now > began + warm and len(sent) < (now - began - warm) * 20:
                probe(producer, codec, prefix, sent)
        producer.poll(0)
        for message in alerts.consume(500, 0.01):
            key = (message.key() or b"").decode()
            if key in sent and key not in waits:
                waits[key] = time.time() - sent[key]
    child.stop(worker)
    alerts.close()
    found = sorted(waits.values())
    figures["latency: load, events/s"] = made / (warm + seconds)
    figures["latency: probes answered, share"] = len(found) / max(1, len(sent))
    figures["event to alert, p50, s"] = statistics.median(found)
    figures["event to alert, p99, s"] = found[int(len(found) * 0.99) - 1]


def probe(producer: Producer, codec: Codec, prefix: str, sent: dict[str, float]) -> None:
    borrower = f"probe-{len(sent):06d}"
    for kind in ("DISBURSED", "WRITTEN_OFF"):
        value = {
            "event_id": str(uuid.uuid4()), "borrower_id": borrower, "event_time": datetime.now(UTC), "source": "probe",
            "lender_id": "lender-a", "loan_id": "1", "kind": kind, "amount": Decimal("100.00"), "currency": "CNY",
        }  # fmt: skip
        producer.produce(
            prefix + REPAYMENT_EVENTS, key=borrower.encode(), value=codec.encode(prefix + REPAYMENT_EVENTS, value)
        )
    sent[borrower] = time.time()


def machine() -> dict[str, object]:
    """Where and when a result was measured."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


TARGETS: dict[str, tuple[str, float]] = {
    "end to end: events/s": (">=", 50_000),
    "times the plain agent": (">=", 30),
    "bytes per borrower (growth of the process)": ("<=", 3_000),
    "event to alert, p99, s": ("<=", 3),
}


def report(figures: Figures, console: Console) -> None:
    table = Table("figure", "value", "target", box=None, header_style="bold")
    for name, value in figures.items():
        target = TARGETS.get(name)
        said = ""
        if target:
            met = value >= target[1] if target[0] == ">=" else value <= target[1]
            said = f"{target[0]} {target[1]:,.0f} {'met' if met else 'MISSED'}"
        table.add_row(name, f"{value:,.2f}" if value < 100 else f"{value:,.0f}", said)
    console.print(table)
    RESULTS.parent.mkdir(exist_ok=True)
    result = {"machine": machine(), "targets": TARGETS, "figures": {k: round(v, 4) for k, v in figures.items()}}
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    console.print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
