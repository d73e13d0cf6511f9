"""The backtest's report as one HTML page that needs nothing else: tables, and a chart drawn as SVG."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, MARGIN = 360, 300, 40

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #d0d7de; text-align: right; }
th:first-child, td:first-child { text-align: left; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
"""


def cell(value: Any) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return "–"
    return (
        f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else escape(str(value))
    )


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in (text.replace("_", " ") for text in header))
    body = "".join("<tr>" + "".join(f"<td>{cell(value)}</td>" for value in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def reliability_chart(curve: Sequence[dict[str, Any]]) -> str:
    """Return the reliability curve: predicted against observed, with the diagonal on which they are equal."""
    most = max([0.05, *(max(point["predicted"], point["observed"]) for point in curve)])

    def place(predicted: float, observed: float) -> str:
        across = MARGIN + predicted / most * (WIDTH - 2 * MARGIN)
        return f"{across:.1f},{HEIGHT - MARGIN - observed / most * (HEIGHT - 2 * MARGIN):.1f}"

    points = [place(point["predicted"], point["observed"]) for point in curve]
    dots = "".join('<circle cx="{}" cy="{}" r="4" fill="#0550ae"/>'.format(*point.split(",")) for point in points)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" aria-label="Reliability curve: predicted '
        f'probability against observed default rate"><polyline points="{place(0, 0)} {place(most, most)}" '
        f'stroke="#8c959f" stroke-dasharray="4" fill="none"/><polyline points="{" ".join(points)}" stroke="#0550ae" '
        f'fill="none"/>{dots}<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">predicted, up to {most:.2f}'
        f'</text><text x="12" y="{HEIGHT / 2}" transform="rotate(-90 12 {HEIGHT / 2})" text-anchor="middle">observed'
        "</text></svg>"
    )


def picked(rows: Iterable[dict[str, Any]], names: Sequence[str]) -> list[list[Any]]:
    """Return some values of each row, in the order of ``names``."""
    return [[row[name] for name in names] for row in rows]


def named(rows: dict[str, dict[str, Any]], names: Sequence[str]) -> list[list[Any]]:
    """Return the same with each row's name before it."""
    return [[key, *(row[name] for name in names)] for key, row in rows.items()]


def page(report: dict[str, Any]) -> str:
    """Return the whole page."""
    measures = ("predictions", "defaults", "auc", "brier", "calibration_error")
    cells = ("level", "found", "false_alarm", "missed", "rightly_left_alone", "precision", "recall")
    leads = ("days_ahead", "pointed_out", "found", "precision", "recall")
    versions = ("version", "in_force", "examples", "reason")
    tense = next(one for one in report["confusion"] if one["level"] == "TENSE")
    parts = [
        "<h1>Backtest</h1>",
        f"<p>{report['predictions']:,} predictions, of which {report['defaults']:,} went 30 days past due within "
        f"{report['horizon_days']} days; {report['censored']:,} whose outcome can't be known.</p>",
        table("All", measures, picked([report["whole"]], measures)),
        "<h2>Reliability</h2>",
        reliability_chart(report["whole"]["reliability"]),
        table("A borrower at this level or worse is pointed out", cells, picked(report["confusion"], cells)),
        table(
            "Examples of each cell, at TENSE or worse",
            ("cell", "borrowers"),
            [(name, ", ".join(borrowers)) for name, borrowers in tense["examples"].items()],
        ),
        table(
            "Precision against lead time: only defaults at least so many days ahead count as found",
            leads,
            picked(report["lead_time"], leads),
        ),
        table("By month", ("month", *measures), named(report["by_month"], measures)),
        table("By lender", ("lender", *measures), named(report["by_lender"], measures)),
        table("By the version that scored", ("version", *measures), named(report["by_version"], measures)),
        contacts(report["before_contact"]),
        table("Versions of the models", versions, picked(report["versions"], versions)),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Loanpulse backtest</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def contacts(found: dict[str, Any] | None) -> str:
    """Return the sentence about the lender's own contacts."""
    if found is None:
        return "<p>The log holds no contacts of the lender (alert-feedback), so nothing can be said of them.</p>"
    days = found["median_days_ahead"]
    ahead = f", half of them {days:.0f} or more days ahead" if days is not None else ""
    return (
        f"<p>Of {found['contacted']:,} borrowers whom the lender contacted, {found['alerted_before']:,} had been "
        f"alerted before{ahead}.</p>"
    )
