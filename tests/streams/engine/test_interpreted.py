"""Compiled and plain Python are the same functions: the same events give the same bytes of state and scores."""

import os
import subprocess
import sys

PROGRAM = """
import hashlib
from datetime import UTC, datetime
from loanpulse.schemas import json_form
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import EVENT_TOPICS, MODEL_SNAPSHOTS
from loanpulse.city.writers import encoded
from loanpulse.streams.policy import policy_file
from loanpulse.streams.engine.engine import Engine, EngineOptions
from loanpulse.streams.engine.decode import RecordBatch
from tests.support import sample_logs
from tests.support.grown_forest import promoted
registry = LocalRegistry()
engine = Engine(EngineOptions(1), policy_file.load(interval_seconds=1.0), registry)
parts = {0: [], 1: [], 2: []}
for record in sample_logs.city(3, 35):
    row = (record.at_ms, record.key.encode(), encoded(record, Codec(registry)))
    parts[EVENT_TOPICS.index(record.topic)].append(row)
for source, part in parts.items():
    stamps, keys, values = zip(*part)
    assert not engine.offer(RecordBatch.of(source, 0, range(len(part)), stamps, keys, values))
engine.directives.add(MODEL_SNAPSHOTS, promoted(json_form.milliseconds(datetime(2026, 3, 20, tzinfo=UTC))))
done = engine.partition(0).advance(1_900_000_000_000, inclusive=True)
store = engine.partition(0).store
digest = hashlib.sha256()
for scored in done:
    for name in sorted(scored.scores.dtype.names):
        digest.update(name.encode() + scored.scores[name].tobytes())
    digest.update(scored.ids.tobytes())
for name in sorted(store.records.dtype.names):
    digest.update(name.encode() + store.records[name][:len(store)].tobytes())
print(*(f"{scored.model_version}={len(scored)}" for scored in done), digest.hexdigest())
"""


def digest(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_compiled_and_interpreted_agree_to_the_bit() -> None:
    compiled = digest()
    counts = {version: int(count) for version, count in (part.split("=") for part in compiled.split()[:-1])}
    assert counts.keys() == {"expert-1", "forest-30-3072"}
    assert min(counts.values()) > 20
    assert digest(NUMBA_DISABLE_JIT="1") == compiled
