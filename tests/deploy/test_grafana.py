"""Every dashboard is whole, and every panel's query runs on the migrated warehouse and finds the city's rows."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from loanpulse.sinks.embedded import EmbeddedWarehouse

pytestmark = pytest.mark.integration

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana"
FROM, TO = "2026-03-01 00:00:00", "2027-12-31 00:00:00"
MAY_BE_EMPTY = {"Co-debt surges"}
"""Panels about behaviours that a small city need not show."""


def dashboards() -> dict[str, Any]:
    return {file.stem: json.loads(file.read_text()) for file in sorted((FOLDER / "dashboards").glob("*.json"))}


def panels() -> Iterator[Any]:
    for name, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            yield pytest.param(panel, id=f"{name}-{panel['title']}")


def expanded(sql: str) -> str:
    """Do what Grafana's ClickHouse plugin does to macros and variables."""
    between = f"toDateTime('{FROM}') AND {{0}} <= toDateTime('{TO}')"
    sql = re.sub(r"\$__timeFilter\((\w+)\)", lambda m: f"{m[1]} >= {between.format(m[1])}", sql)
    sql = re.sub(
        r"\$__dateFilter\((\w+)\)", lambda m: f"{m[1]} >= toDate('{FROM[:10]}') AND {m[1]} <= toDate('{TO[:10]}')", sql
    )
    sql = re.sub(
        r"\$__timeInterval\(((?:[^()]|\([^()]*\))*)\)",
        lambda m: f"toStartOfInterval(toDateTime({m[1]}), INTERVAL 3600 second)", sql,
    )  # fmt: skip
    sql = sql.replace("${lender:singlequote}", "'lender-a','lender-b'")
    assert "$" not in sql, sql
    return sql


@pytest.mark.parametrize("panel", list(panels()))
def test_a_panel_finds_its_rows(city_warehouse: EmbeddedWarehouse, panel: Any) -> None:
    (target,) = panel["targets"]
    found = city_warehouse.query(expanded(target["rawSql"]))
    assert found.num_rows or panel["title"] in MAY_BE_EMPTY
    if panel["type"] == "timeseries":
        assert found.column_names[0] == "time"
        numbers = [
            name for name in found.column_names[1:] if str(found.schema.field(name).type) not in ("string", "binary")
        ]
        assert numbers, "a time series needs a number"
    assert panel["description"]


def test_dashboards_are_provisioned_and_use_the_provisioned_datasource() -> None:
    source = yaml.safe_load((FOLDER / "provisioning/datasources/clickhouse.yaml").read_text())["datasources"][0]
    provider = yaml.safe_load((FOLDER / "provisioning/dashboards/loanpulse.yaml").read_text())["providers"][0]
    compose = yaml.safe_load((FOLDER.parents[1] / "docker-compose.yml").read_text())["services"]["grafana"]
    assert any(mount.split(":")[1] == provider["options"]["path"] for mount in compose["volumes"])
    assert set(dashboards()) == {"portfolio", "alerts", "models", "pipeline"}
    uids = [dashboard["uid"] for dashboard in dashboards().values()]
    assert len(set(uids)) == len(uids)
    for dashboard in dashboards().values():
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(set(ids)) == len(ids)
        for panel in dashboard["panels"]:
            assert {panel["datasource"]["uid"], panel["targets"][0]["datasource"]["uid"]} == {source["uid"]}
            assert {"x", "y", "w", "h"} == panel["gridPos"].keys()
            assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
