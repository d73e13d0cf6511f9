"""The durable producer: it waits for room and for the broker, reports failures, and gives up when told to."""

import pytest

from loanpulse.broker.producer import DurableProducer, PublishError, PublishTimeoutError, StopDeadline
from loanpulse.settings import Settings
from loanpulse.settings.broker import producer_properties
from tests.support.topic_values import reading_consumer, values_of

NO_BROKER = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0, "queue.buffering.max.messages": 3}


@pytest.mark.integration
def test_more_records_than_the_queue_holds_arrive_in_their_order(broker_settings: Settings, topic: str) -> None:
    producer = DurableProducer(producer_properties(broker_settings, **{"queue.buffering.max.messages": 100}))
    values = [b"%05d" % number for number in range(25_000)]
    producer.produce_batch(topic, 0, [{"key": b"k", "value": value} for value in values])
    for value in values[:300]:
        producer.produce(topic, b"k", value, partition=1, headers=[("h", b"x")])
    producer.flush()
    assert (producer.delivered, producer.failed, producer.waiting) == (25_300, 0, 0)
    consumer = reading_consumer(broker_settings)
    assert values_of(consumer, topic) == {0: values, 1: values[:300]}
    consumer.close()


def test_a_record_that_times_out_fails_the_flush_and_is_counted() -> None:
    producer = DurableProducer({**NO_BROKER, "message.timeout.ms": 100})
    producer.produce("t", b"k", b"v")
    producer.produce_batch("t", 0, [{"key": b"k", "value": b"v"}])
    producer.drain()
    assert (producer.delivered, producer.failed) == (0, 2)
    with pytest.raises(PublishError, match="timed out"):
        producer.flush()


def test_a_record_that_is_too_large_is_refused_at_once() -> None:
    producer = DurableProducer(NO_BROKER)
    large = b"x" * 2_000_000
    with pytest.raises(PublishError, match="can't be queued"):
        producer.produce("t", b"k", large)
    with pytest.raises(PublishError, match="can't be queued"):
        producer.produce_batch("t", 0, [{"key": b"k", "value": large}])


def test_a_full_queue_and_a_flush_wait_until_told_to_give_up() -> None:
    producer = DurableProducer(NO_BROKER, give_up=lambda: True)
    records = [{"key": b"k", "value": b"%d" % number} for number in range(4)]
    with pytest.raises(PublishTimeoutError):
        producer.produce_batch("t", 0, records)
    with pytest.raises(PublishTimeoutError):
        producer.produce("t", b"k", b"4")
    with pytest.raises(PublishTimeoutError, match="3 records") as raised:
        producer.flush()
    assert raised.value.waiting == 3


def test_the_deadline_counts_from_the_stop() -> None:
    now, stopped = 0.0, False
    deadline = StopDeadline(lambda: stopped, 10.0, lambda: now)
    now = 100.0
    assert not deadline()
    stopped = True
    assert not deadline()
    now = 109.0
    assert not deadline()
    now = 110.0
    assert deadline()
