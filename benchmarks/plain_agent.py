"""What Loanpulse is measured against: a plain Faust agent, one event at a time, one table write per event."""

import json
import sys
import time

import faust

from loanpulse.schemas.codec import Codec
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import SPENDING_EVENTS

broker, prefix, wanted, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
codec = Codec(LocalRegistry())
app = faust.App(
    f"{prefix}plain",
    broker=f"kafka://{broker}",
    store="memory://",
    web_enabled=False,
    topic_allow_declare=False,
    topic_disable_leader=True,
    broker_session_timeout=6,
    broker_heartbeat_interval=2,
    broker_rebalance_timeout=6,
    consumer_auto_offset_reset="earliest",
    topic_partitions=int(sys.argv[5]),
    stream_wait_empty=False,
    worker_redirect_stdouts=False,
)
events = app.topic(
    prefix + SPENDING_EVENTS, key_type=bytes, value_type=bytes, value_serializer="raw", key_serializer="raw"
)
spent = app.Table("spent", key_type=bytes, default=float)
began = 0.0
count = 0


@app.agent(events)
async def fold(stream):  # type: ignore[no-untyped-def]
    global began, count
    async for key, value in stream.items():
        if not began:
            began = time.perf_counter()
        event = codec.decode(SPENDING_EVENTS, value)
        name = key.decode()
        spent[name] = spent[name] + float(event["amount"])
        count += 1
        if count == wanted:
            with open(out, "w") as file:
                json.dump({"events_per_second": wanted / (time.perf_counter() - began)}, file)


faust.Worker(app, loglevel="ERROR", quiet=True, redirect_stdouts=False).execute_from_commandline()
