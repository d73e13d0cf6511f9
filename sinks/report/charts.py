"""Charts as SVG, in a wide and a narrow form: text in a chart that is only scaled down could not be read on a phone."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import altair as alt
import vl_convert

from loanpulse.sinks.report.figures import BANDS, LEVELS, MonthFigures

LEVEL_COLOURS = {
    "AMPLE": "#1d6f5b",
    "STABLE": "#7fb99e",
    "WATCH": "#e8c468",
    "TENSE": "#df7a3f",
    "CRISIS": "#a8232f",
}
"""Dark to light to dark again: distinguishable in grey and for colour-blind readers."""
INK, QUIET, GRID, ACCENT = "#1c2530", "#5a6675", "#e3e7ec", "#23527c"
VINTAGE_COLOURS = ("#a9c3da", "#7fa6c9", "#5586b0", "#2f6596", "#17446d", "#0b2239")

Texts = Mapping[str, str]
AnyChart = alt.Chart | alt.LayerChart | alt.FacetChart


@dataclass(frozen=True, slots=True)
class Form:
    """One of the two sizes in which a chart is drawn: what is drawn, in CSS pixels."""

    name: str
    width: int
    height: int
    days_apart: int


WIDE, NARROW = Form("wide", 660, 260, 2), Form("narrow", 296, 230, 7)
FORMS = (WIDE, NARROW)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart in both forms, and what it shows in words for those who don't see it."""

    wide: str
    narrow: str
    words: str


def draw(build: Callable[[Form], AnyChart], words: str) -> Chart:
    """Return a chart in both forms."""
    wide, narrow = (_svg(build(form), form, words) for form in FORMS)
    return Chart(wide, narrow, words)


def levels_chart(figures: MonthFigures, texts: Texts) -> Callable[[Form], AnyChart]:
    """Borrowers by level at the end of each day, stacked from the best at the bottom to the worst on top."""
    data = alt.InlineData(
        values=[
            {"day": row["day"].isoformat(), "level": texts[row["level"]], "place": LEVELS.index(row["level"]),
             "borrowers": row["borrowers"]}
            for row in figures.levels
        ]
    )  # fmt: skip
    names = [texts[level] for level in LEVELS]
    days = [day.isoformat() for day in figures.days]

    def build(form: Form) -> AnyChart:
        shown = [day for place, day in enumerate(days) if place % form.days_apart == 0]
        chart: alt.Chart = (
            alt.Chart(data)
            .mark_bar(stroke="white", strokeWidth=0.5)
            .encode(
                x=alt.X("day:O", title=texts["day_of_month"], axis=alt.Axis(
                    values=shown, labelExpr="toNumber(slice(datum.value, 8))", labelAngle=0, grid=False, ticks=False),
                    scale=alt.Scale(paddingInner=0.06)),
                y=alt.Y("borrowers:Q", title=texts["borrowers"], axis=alt.Axis(tickCount=5, domain=False, ticks=False)),
                color=alt.Color("level:N", title=None, sort=names,
                    scale=alt.Scale(domain=names, range=list(LEVEL_COLOURS.values())),
                    legend=alt.Legend(orient="top", columns=5 if form is WIDE else 3)),
                order=alt.Order("place:Q"),
            )
        )  # fmt: skip
        return chart

    return build


def vintage_chart(figures: MonthFigures, texts: Texts) -> Callable[[Form], AnyChart]:
    """Share of each vintage's loans that had been 30 days past due, by months on book; darker is younger."""
    data = alt.InlineData(values=[{**row, "vintage": f"{row['vintage']:%Y-%m}"} for row in figures.vintages])
    vintages = sorted({f"{row['vintage']:%Y-%m}" for row in figures.vintages})
    step = (len(VINTAGE_COLOURS) - 1) / max(1, len(vintages) - 1)
    colours = [VINTAGE_COLOURS[round(place * step)] for place in range(len(vintages))]

    def build(form: Form) -> AnyChart:
        chart: alt.Chart = (
            alt.Chart(data)
            .mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=36, filled=True))
            .encode(
                x=alt.X("months_on_book:O", title=texts["months_on_book"],
                    axis=alt.Axis(labelAngle=0, grid=False, ticks=False)),
                y=alt.Y("share:Q", title=texts["share_30"],
                    axis=alt.Axis(format=".0%", tickCount=5, domain=False, ticks=False)),
                color=alt.Color("vintage:N", title=None, scale=alt.Scale(domain=vintages, range=colours),
                    legend=alt.Legend(orient="top", columns=6 if form is WIDE else 3)),
            )
        )  # fmt: skip
        return chart

    return build


def precision_chart(figures: MonthFigures, texts: Texts) -> Callable[[Form], AnyChart]:
    """Share of alerts that were followed by trouble, against the least number of days that they came before it."""
    data = alt.InlineData(values=figures.precision)

    def build(form: Form) -> AnyChart:
        line = (
            alt.Chart(data)
            .mark_line(color=ACCENT, strokeWidth=2.5, point=alt.OverlayMarkDef(size=48, filled=True, color=ACCENT))
            .encode(
                x=alt.X("lead_days:Q", title=texts["lead_at_least"], scale=alt.Scale(domain=[-1, 31], nice=False),
                    axis=alt.Axis(values=[row["lead_days"] for row in figures.precision], grid=False, ticks=False)),
                y=alt.Y("share:Q", title=texts["precision"], scale=alt.Scale(domainMin=0, nice=True),
                    axis=alt.Axis(format=".0%", tickCount=5, domain=False, ticks=False)),
            )
        )  # fmt: skip
        text = line.mark_text(dy=-12, color=INK, fontSize=11).encode(text=alt.Text("share:Q", format=".0%"))
        return alt.layer(line, text) if form is WIDE else alt.layer(line)

    return build


def shortfall_chart(figures: MonthFigures, texts: Texts) -> Callable[[Form], AnyChart]:
    """Borrowers by the days until their money can't meet what falls due."""
    colours = [LEVEL_COLOURS[name] for name in ("CRISIS", "TENSE", "WATCH", "STABLE", "STABLE", "AMPLE")]
    data = alt.InlineData(values=figures.shortfall)

    def build(form: Form) -> AnyChart:
        bars = (
            alt.Chart(data)
            .mark_bar(cornerRadiusEnd=3)
            .encode(
                x=alt.X("band:N", title=texts["days"], sort=list(BANDS),
                    axis=alt.Axis(labelAngle=0, grid=False, ticks=False)),
                y=alt.Y("borrowers:Q", title=texts["borrowers"], axis=alt.Axis(tickCount=5, domain=False, ticks=False)),
                color=alt.Color("band:N", scale=alt.Scale(domain=list(BANDS), range=colours), legend=None),
            )
        )  # fmt: skip
        text = bars.mark_text(dy=-7, fontSize=11).encode(text="borrowers:Q", color=alt.value(INK))
        return alt.layer(bars, text)

    return build


def _svg(chart: AnyChart, form: Form, words: str) -> str:
    styled = (
        chart.properties(width=form.width, height=form.height)
        .properties(autosize=alt.AutoSizeParams(type="fit", contains="padding"))
        .configure(font="sans-serif", background="transparent", padding=4)
        .configure_axis(
            labelColor=QUIET, titleColor=QUIET, labelFontSize=12, titleFontSize=12, titleFontWeight="normal",
            gridColor=GRID, domainColor=QUIET, labelPadding=6, titlePadding=8, labelOverlap=True,
        )
        .configure_legend(labelColor=INK, labelFontSize=12, symbolType="square", symbolStrokeWidth=0, offset=8)
        .configure_view(strokeWidth=0)
    )  # fmt: skip
    drawn: str = vl_convert.vegalite_to_svg(styled.to_dict())
    opening, inside = drawn.removeprefix("<svg").split(">", 1)
    # The picture is read out by its words, not part by part; ids would be doubled by the two forms.
    inside = re.sub(r' (?:role|aria-label|aria-roledescription)="[^"]*"', "", inside)
    inside = re.sub(r"\b(clip|gradient)(\d+)", rf"{form.name}-\1\2", inside)
    return f'<svg{_without_class(opening)} class="{form.name}" role="img" aria-label="{html.escape(words)}">{inside}'


def _without_class(opening: str) -> str:
    return re.sub(r' class="[^"]*"', "", opening)
