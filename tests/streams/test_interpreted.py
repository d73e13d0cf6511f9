"""Compiled and plain Python are the same functions: the same events give the same bytes of state and scores."""

import os
import subprocess
import sys

PROGRAM = """
import hashlib
from loanpulse.schemas.codec import Codec
from loanpulse.schemas.partitioning import partition_of
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import EVENT_TOPICS
from loanpulse.city.outlets import encoded
from loanpulse.streams import policy
from loanpulse.streams.engine import Engine, EngineOptions
from loanpulse.streams.intake import Fetched
from tests import histories
registry = LocalRegistry()
engine = Engine(EngineOptions(1), policy.load(interval_seconds=1.0), registry)
parts = {0: [], 1: [], 2: []}
for record in histories.city(3, 35):
    row = (record.at_ms, record.key.encode(), encoded(record, Codec(registry)))
    parts[EVENT_TOPICS.index(record.topic)].append(row)
for source, part in parts.items():
    stamps, keys, values = zip(*part)
    assert not engine.take(Fetched.of(source, 0, range(len(part)), stamps, keys, values))
scored = engine.run(0, 1_900_000_000_000, inclusive=True)
lane = engine.lane(0)
digest = hashlib.sha256()
for name in sorted(scored.scores.dtype.names):
    digest.update(name.encode() + scored.scores[name].tobytes())
for name in sorted(lane.slab.records.dtype.names):
    digest.update(name.encode() + lane.slab.records[name][:len(lane.slab)].tobytes())
digest.update(scored.ids.tobytes())
print(len(scored), digest.hexdigest())
"""


def digest(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_compiled_and_interpreted_agree_to_the_bit() -> None:
    compiled = digest()
    assert int(compiled.split()[0]) > 50
    assert digest(NUMBA_DISABLE_JIT="1") == compiled
