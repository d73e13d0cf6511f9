"""A lender's month as one HTML page that needs nothing beside it."""

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jinja2

from loanpulse.sinks.report import charts
from loanpulse.sinks.report.charts import LEVEL_COLOURS, Chart
from loanpulse.sinks.report.figures import INTERVENED, LEVELS, MonthFigures
from loanpulse.sinks.report.language import Language

FOLDER = Path(__file__).parent
SOON = ("0-6", "7-13", "14-29")
PALEST, DEEPEST = 0.06, 0.56
"""Opacity of a cell of the matrix at shares 0 and 1: pale enough for dark text at 4.5 to 1."""


@dataclass(frozen=True, slots=True)
class Key:
    """A number of the summary."""

    name: str
    value: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """A plain table: the names of its columns, and its cells as text."""

    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page; what is None is not shown."""

    title: str
    lead: str = ""
    shown: bool = False
    chart: Chart | None = None
    matrix: dict[str, Any] | None = None
    table: Figures | None = None


def texts_of(language: Language) -> dict[str, str]:
    """Return what the page says in a language."""
    texts: dict[str, dict[str, str]] = tomllib.loads((FOLDER / "texts.toml").read_text(encoding="utf-8"))
    return texts[language]


def render(figures: MonthFigures, language: Language) -> str:
    """Return the page."""
    texts = texts_of(language)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=False
    )
    sections = [
        _levels(figures, texts),
        _roll_rates(figures, texts),
        _vintages(figures, texts),
        _precision(figures, texts),
        _shortfall(figures, texts),
    ]
    return environment.get_template("page.html.jinja").render(
        t=texts,
        title=texts["title"].format(lender=figures.lender_id),
        month=texts["month_name"].format(month=figures.month),
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
        keys=_keys(figures, texts),
        sections=sections,
        generated=texts["generated"].format(until=_said(max(figures.days, default=figures.month), texts)),
    )


def _said(day: date, texts: dict[str, str]) -> str:
    return texts["day_name"].format(day=day)


def _keys(figures: MonthFigures, texts: dict[str, str]) -> list[Key]:
    days, lead = figures.days, figures.median_lead_days
    last, first = (days[-1], days[0]) if days else (figures.month, figures.month)
    return [
        Key(texts["key_borrowers"], f"{figures.at_level(last):,}", texts["key_borrowers_note"]),
        Key(
            texts["key_intervened"],
            f"{figures.at_level(last, INTERVENED):,}",
            texts["key_intervened_before"].format(before=f"{figures.at_level(first, INTERVENED):,}"),
            "bad",
        ),
        Key(
            texts["key_alerts"],
            f"{figures.alerts:,}",
            texts["key_alerts_people"].format(people=f"{figures.borrowers_alerted:,}"),
        ),
        Key(
            texts["key_lead"],
            texts["key_lead_none"] if lead is None else texts["key_lead_days"].format(days=lead),
            texts["key_lead_note"],
        ),
    ]


def _levels(figures: MonthFigures, texts: dict[str, str]) -> Section:
    if not figures.levels:
        return Section(texts["levels_title"])
    first, last = figures.days[0], figures.days[-1]
    count = {(row["day"], row["level"]): row["borrowers"] for row in figures.levels}
    at_end = "; ".join(f"{texts[level]} {count.get((last, level), 0)}" for level in LEVELS)
    return Section(
        texts["levels_title"],
        texts["levels_lead"].format(
            count=figures.at_level(last, INTERVENED),
            all=figures.at_level(last),
            last=_said(last, texts),
            first=_said(first, texts),
            before=figures.at_level(first, INTERVENED),
            all_before=figures.at_level(first),
        ),
        shown=True,
        chart=charts.draw(charts.levels_chart(figures, texts), texts["chart_levels"].format(counts=at_end)),
        table=Figures(
            [texts["day"], *(texts[level] for level in LEVELS)],
            [[day.isoformat(), *(f"{count.get((day, level), 0):,}" for level in LEVELS)] for day in figures.days],
        ),
    )


def _roll_rates(figures: MonthFigures, texts: dict[str, str]) -> Section:
    if not figures.roll_rates:
        return Section(texts["roll_title"])
    moves = {(LEVELS.index(row["level_from"]), LEVELS.index(row["level_to"])): row for row in figures.roll_rates}
    rows = []
    for before, name in enumerate(LEVELS):
        cells = [_cell(before, after, moves.get((before, after))) for after in range(len(LEVELS))]
        total = sum(row["borrowers"] for (start, _), row in moves.items() if start == before)
        rows.append({"name": texts[name], "colour": LEVEL_COLOURS[name], "cells": cells, "total": f"{total:,}"})
    return Section(
        texts["roll_title"],
        texts["roll_lead"].format(
            worse=sum(row["borrowers"] for (before, after), row in moves.items() if after > before),
            better=sum(row["borrowers"] for (before, after), row in moves.items() if after < before),
            all=sum(row["borrowers"] for row in moves.values()),
        ),
        shown=True,
        matrix={"columns": [texts[level] for level in LEVELS], "rows": rows},
    )


def _cell(before: int, after: int, move: dict[str, Any] | None) -> dict[str, str]:
    """Return a cell of the matrix: blue where borrowers stayed or got better, red where they got worse."""
    if move is None:
        return {"text": "–", "style": ""}
    red, green, blue = (168, 35, 47) if after > before else (35, 82, 124)
    share = move["share"]
    style = f"background:rgba({red},{green},{blue},{PALEST + (DEEPEST - PALEST) * share:.2f})"
    return {"text": f"{share:.0%}", "style": style}


def _vintages(figures: MonthFigures, texts: dict[str, str]) -> Section:
    if not figures.vintages:
        return Section(texts["vintage_title"])
    names = ", ".join(sorted({f"{row['vintage']:%Y-%m}" for row in figures.vintages}))
    return Section(
        texts["vintage_title"],
        texts["vintage_lead"],
        shown=True,
        chart=charts.draw(charts.vintage_chart(figures, texts), texts["chart_vintages"].format(vintages=names)),
        table=Figures(
            [texts["vintage"], texts["months_on_book"], texts["loans"], texts["share_30"]],
            [
                [f"{row['vintage']:%Y-%m}", str(row["months_on_book"]), f"{row['loans']:,}", f"{row['share']:.1%}"]
                for row in figures.vintages
            ],
        ),
    )


def _precision(figures: MonthFigures, texts: dict[str, str]) -> Section:
    if not figures.precision:
        return Section(texts["precision_title"])
    first, last = figures.precision[0], figures.precision[-1]
    words = texts["chart_precision"].format(first=f"{first['share']:.0%}", last=f"{last['share']:.0%}")
    return Section(
        texts["precision_title"],
        texts["precision_lead"].format(alerts=f"{first['alerts']:,}", hits=f"{first['hits']:,}"),
        shown=True,
        chart=charts.draw(charts.precision_chart(figures, texts), words),
        table=Figures(
            [texts["lead_at_least"], texts["hits"], texts["precision"]],
            [[str(row["lead_days"]), f"{row['hits']:,}", f"{row['share']:.1%}"] for row in figures.precision],
        ),
    )


def _shortfall(figures: MonthFigures, texts: dict[str, str]) -> Section:
    if not figures.shortfall:
        return Section(texts["shortfall_title"])
    soon = sum(row["borrowers"] for row in figures.shortfall if row["band"] in SOON)
    counts = "; ".join(f"{row['band']}: {row['borrowers']}" for row in figures.shortfall)
    return Section(
        texts["shortfall_title"],
        texts["shortfall_lead"].format(soon=soon, all=sum(row["borrowers"] for row in figures.shortfall)),
        shown=True,
        chart=charts.draw(charts.shortfall_chart(figures, texts), texts["chart_shortfall"].format(counts=counts)),
        table=Figures(
            [texts["days"], texts["borrowers"]],
            [[row["band"], f"{row['borrowers']:,}"] for row in figures.shortfall],
        ),
    )
