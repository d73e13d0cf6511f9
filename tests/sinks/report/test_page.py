"""The monthly report: its figures are the warehouse's, it tells nobody, and it needs nothing beside it."""

import re
from datetime import date
from html.parser import HTMLParser

import pytest

from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.report.figures import LEVELS, MonthFigures, month_figures
from loanpulse.sinks.report.language import Language
from loanpulse.sinks.report.page import render, texts_of

pytestmark = pytest.mark.integration

LENDER, MONTH = "lender-a", date(2026, 6, 1)


@pytest.fixture(scope="module")
def figures(city_warehouse: EmbeddedWarehouse) -> MonthFigures:
    return month_figures(city_warehouse.query, LENDER, MONTH)


def test_levels_are_those_of_the_last_scoring_of_each_day(
    city_warehouse: EmbeddedWarehouse, figures: MonthFigures
) -> None:
    rows = city_warehouse.query(
        "SELECT borrower_id, event_time, level, lender_ids FROM snapshots WHERE event_time < '2026-06-16' "
        "ORDER BY event_time"
    ).to_pylist()
    latest = {row["borrower_id"]: row for row in rows}
    for level in LEVELS:
        expected = sum(row["level"] == level and LENDER in row["lender_ids"] for row in latest.values())
        assert figures.at_level(date(2026, 6, 15), (level,)) == expected, level
    assert figures.at_level(date(2026, 6, 15)) > 5


def test_roll_rates_count_everybody_who_was_there_before(figures: MonthFigures) -> None:
    by_row: dict[str, float] = {}
    for move in figures.roll_rates:
        by_row[move["level_from"]] = by_row.get(move["level_from"], 0.0) + move["share"]
    assert all(total == pytest.approx(1.0) for total in by_row.values())
    assert sum(move["borrowers"] for move in figures.roll_rates) > 5


def test_precision_falls_with_the_lead_that_is_asked_for(
    city_warehouse: EmbeddedWarehouse, figures: MonthFigures
) -> None:
    hits = [row["hits"] for row in figures.precision]
    assert hits == sorted(hits, reverse=True)
    told = city_warehouse.query(
        "SELECT count() AS n, countIf(is_true) AS hits FROM alert_outcomes WHERE lender_id = {lender:String} "
        "AND is_sent AND alerted_at >= '2026-06-01' AND alerted_at < '2026-07-01'", {"lender": LENDER},
    ).to_pylist()[0]  # fmt: skip
    assert (figures.precision[0]["alerts"], figures.precision[0]["hits"]) == (told["n"], told["hits"])


def test_vintages_never_fall_and_end_with_the_month(figures: MonthFigures) -> None:
    curves: dict[date, list[float]] = {}
    for row in figures.vintages:
        curves.setdefault(row["vintage"], []).append(row["share"])
        assert (row["vintage"].year * 12 + row["vintage"].month + row["months_on_book"]) <= 2026 * 12 + 6
    assert curves
    assert all(curve == sorted(curve) for curve in curves.values())


@pytest.mark.parametrize("language", list(Language))
def test_the_page_identifies_nobody_and_loads_nothing(
    city_warehouse: EmbeddedWarehouse, figures: MonthFigures, language: Language
) -> None:
    page = render(figures, language)
    for row in city_warehouse.query("SELECT DISTINCT borrower_id FROM snapshots").to_pylist():
        assert row["borrower_id"] not in page
    assert "lender-b" not in page
    addresses = set(re.findall(r"https?://[^\"' )<]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"<(script|link|img|iframe)\b", page)
    assert not re.search(r"\bNaN\b|undefined|None\b|\{[a-z_]+\}", re.sub(r"<style>.*?</style>", "", page, flags=re.S))


class Outline(HTMLParser):
    """What a screen reader would go by."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.pictures: list[str] = []
        self.language = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "svg":
            assert found["role"] == "img"
            self.pictures.append(found["aria-label"] or "")
        if tag == "html":
            self.language = found["lang"] or ""


@pytest.mark.parametrize(("language", "written"), [(Language.EN, "en"), (Language.ZH, "zh-Hans")])
def test_the_page_is_accessible(figures: MonthFigures, language: Language, written: str) -> None:
    outline = Outline()
    outline.feed(render(figures, language))
    assert outline.language == written
    assert outline.headings.count(1) == 1
    assert len(outline.pictures) == 8, "four charts, each for wide and narrow screens"
    assert all(len(words) > 20 for words in outline.pictures)


def test_an_empty_month_is_reported(city_warehouse: EmbeddedWarehouse) -> None:
    nothing = month_figures(city_warehouse.query, "lender-x", MONTH)
    assert nothing.levels == []
    assert render(nothing, Language.EN).count(texts_of(Language.EN)["nothing"]) == 5


def test_both_languages_have_all_texts() -> None:
    english, chinese = texts_of(Language.EN), texts_of(Language.ZH)
    assert english.keys() == chinese.keys()
    for key in english:
        assert set(re.findall(r"\{(\w+)", english[key])) == set(re.findall(r"\{(\w+)", chinese[key])), key
