"""Every story through replay and, the same events, through Kafka."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from loanpulse.city.published import Published
from loanpulse.schemas import json_form
from loanpulse.schemas.registry import LocalRegistry
from loanpulse.schemas.topics import LIQUIDITY_ALERTS
from loanpulse.settings import Settings, load
from loanpulse.streams.from_settings import engine_options, load_policy
from loanpulse.streams.replay.replay import replay_files
from tests.stories.story import BEHAVIOURS, Story, names, read
from tests.support import compare_outputs, processes
from tests.support.brokers import PARTITIONS
from tests.support.processes import Reader, part

Alerts = dict[str, list[dict[str, Any]]]

STORIES = [read(name) for name in names()]
SETTINGS = load(environment={"LOANPULSE_TOPICS__PARTITIONS": str(PARTITIONS)})
AMOUNT = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w.-])")


def merged(stories: list[Story]) -> list[dict[str, Any]]:
    """The lines of all stories in the order of publication."""
    lines = [(instant, story.name, place, line)
             for story in stories for place, (instant, line) in enumerate(story.lines)]  # fmt: skip
    return [line for *_, line in sorted(lines, key=lambda one: one[:3])]


def replayed(stories: list[Story], folder: Path, settings: Settings) -> list[dict[str, Any]]:
    log, alerts = folder / "stories.jsonl", folder / "alerts.jsonl"
    log.write_bytes(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in merged(stories)))
    report = replay_files(
        [log],
        options=engine_options(settings),
        policy=load_policy(settings),
        registry=LocalRegistry(),
        alerts=alerts,
        at_ms=max(story.end_ms for story in stories),
    )
    assert not report.refused, report.refused[:3]
    return [json.loads(line)["value"] for line in alerts.read_text().splitlines()]


def by_borrower(alerts: list[dict[str, Any]], stories: list[Story]) -> Alerts:
    """The alerts of each story that came until its last day."""
    ends = {story.borrower_id: story.end_ms for story in stories}
    found: Alerts = {borrower: [] for borrower in ends}
    for alert in alerts:
        if json_form.milliseconds(json_form.parse_time(alert["event_time"])) <= ends[alert["borrower_id"]]:
            found[alert["borrower_id"]].append(alert)
    return found


@pytest.fixture(scope="module")
def alerts(tmp_path_factory: pytest.TempPathFactory) -> Alerts:
    return by_borrower(replayed(STORIES, tmp_path_factory.mktemp("stories"), SETTINGS), STORIES)


def shown(alerts: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{alert['event_time']} {alert['lender_id']} {alert['kind']} {alert['level_from']}>{alert['level_to']} "
        f"{alert['lhi']:.1f}"
        for alert in alerts
    )


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_has_the_alerts_expected_and_none_forbidden(story: Story, alerts: Alerts) -> None:
    told = alerts[story.borrower_id]
    missing = [line.text for line in story.expected if not any(map(line.meets, told))]
    wrong = {line.text: shown([alert for alert in told if line.meets(alert)]) for line in story.forbidden}
    assert not missing, f"{story.title}: expected {missing}, got\n{shown(told)}"
    assert not any(wrong.values()), f"{story.title}: forbidden { ({text: got for text, got in wrong.items() if got}) }"


@pytest.mark.parametrize(
    "story", [story for story in STORIES if len(set(story.lenders.values())) > 1], ids=lambda story: story.name
)
def test_a_lender_never_sees_another_ones_name_or_amounts(story: Story, alerts: Alerts) -> None:
    """Every field of every alert is searched for what only other lenders know."""
    told = [line["value"] for _, line in story.lines if line["topic"] == "repayment-events"]
    assert alerts[story.borrower_id]
    for alert in alerts[story.borrower_id]:
        own = alert["lender_id"]
        text = json.dumps(alert)
        known = {value["amount"] for value in told if value["lender_id"] == own}
        secret = {float(value["amount"]) for value in told if value["amount"] and value["amount"] not in known}
        assert not {value["lender_id"] for value in told if value["lender_id"] != own and value["lender_id"] in text}
        assert not {value["loan_id"] for value in told if value["lender_id"] != own and value["loan_id"] in text}
        assert not secret & {float(number) for number in AMOUNT.findall(text)}, text


def test_the_stories_are_about_every_behaviour() -> None:
    expected = {kind for story in STORIES for line in story.expected for kind in line.kinds if len(line.kinds) == 1}
    forbidden = {kind for story in STORIES for line in story.forbidden for kind in line.kinds}
    assert expected >= BEHAVIOURS | {"LEVEL_WORSENED", "LEVEL_IMPROVED"}
    assert forbidden >= BEHAVIOURS
    assert len(STORIES) >= 20


@pytest.mark.integration
def test_the_stream_tells_the_same_stories(deployment: Settings, tmp_path: Path) -> None:
    reader = Reader(deployment, LIQUIDITY_ALERTS)
    records = [
        Published(
            json_form.milliseconds(json_form.parse_time(line["timestamp"])),
            line["topic"],
            line["value"]["borrower_id"],
            json_form.from_json(line["topic"], line["value"]),
        )
        for line in merged(STORIES)
    ]
    processes.publish(deployment, records)
    with part(deployment, tmp_path, "worker"):
        expected = identified(by_borrower(replayed(STORIES, tmp_path, deployment), STORIES))
        reader.read_all({LIQUIDITY_ALERTS: expected.keys()})
    reader.read_to_end()
    reader.close()
    streamed = [json.loads(json.dumps(json_form.to_json(LIQUIDITY_ALERTS, value)))
                for value in reader.values(LIQUIDITY_ALERTS)]  # fmt: skip
    wrong = compare_outputs.difference(identified(by_borrower(streamed, STORIES)), expected)
    assert not wrong, wrong


def identified(alerts: Alerts) -> compare_outputs.Identified:
    found = {alert["alert_id"]: alert for told in alerts.values() for alert in told}
    assert len(found) == sum(map(len, alerts.values())), "no alert comes twice"
    return found
