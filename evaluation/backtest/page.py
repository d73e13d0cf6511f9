"""The backtest's report as one HTML page that needs nothing else: tables, and a chart drawn as SVG."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, MARGIN = 480, 380, 52

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
.wide { overflow-x: auto; margin: .5rem 0 1.5rem; }
table { border-collapse: collapse; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #d0d7de; text-align: right; vertical-align: top; }
th.text, td.text { text-align: left; }
td.text:first-child { white-space: nowrap; }
h2 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p.note { color: #57606a; margin: .25rem 0; }
svg { max-width: 100%; height: auto; }
@media print { body { max-width: none; margin: 0; font-size: 11px; } .wide { overflow: visible; break-inside: avoid; } }
"""
TICKS = 4


def cell(value: Any) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[Any]], note: str = "") -> str:
    """Return a table under its title; text is aligned left, numbers right. It scrolls where it is too wide."""
    rows = [list(row) for row in rows]
    is_text = [any(isinstance(row[column], str | bool) for row in rows) for column in range(len(header))]
    kinds = [' class="text"' if left else "" for left in is_text]
    names = (name.replace("_", " ") for name in header)
    head = "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for name, kind in zip(names, kinds, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell(value)}</td>" for value, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows
    )
    note_html = f'<p class="note">{escape(note)}</p>' if note else ""
    return (
        f'<h2>{escape(title)}</h2>{note_html}<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def reliability_chart(curve: Sequence[dict[str, Any]]) -> str:
    """Return the reliability curve: predicted against observed, with the diagonal on which they are equal."""
    most = max([0.05, *(max(point["predicted"], point["observed"]) for point in curve)])

    def at(predicted: float, observed: float) -> str:
        across = MARGIN + predicted / most * (WIDTH - 2 * MARGIN)
        return f"{across:.1f},{HEIGHT - MARGIN - observed / most * (HEIGHT - 2 * MARGIN):.1f}"

    points = [at(point["predicted"], point["observed"]) for point in curve]
    dots = "".join('<circle cx="{}" cy="{}" r="4" fill="#0550ae"/>'.format(*point.split(",")) for point in points)
    shares = [most * tick / TICKS for tick in range(TICKS + 1)]
    ticks = "".join(
        '<text x="{}" y="{}" text-anchor="middle" font-size="11">{:.3g}%</text>'.format(
            at(share, 0.0).split(",")[0], HEIGHT - MARGIN + 16, 100 * share
        )
        + '<text x="{}" y="{}" text-anchor="end" font-size="11" dy="4">{:.3g}%</text>'.format(
            MARGIN - 6, at(0.0, share).split(",")[1], 100 * share
        )
        for share in shares
    )
    frame = f"{at(0, most)} {at(0, 0)} {at(most, 0)}"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" aria-label="Reliability curve: predicted '
        f'probability against observed default rate"><polyline points="{frame}" '
        f'stroke="#8c959f" fill="none"/><polyline points="{at(0, 0)} {at(most, most)}" '
        f'stroke="#8c959f" stroke-dasharray="4" fill="none"/><polyline points="{" ".join(points)}" stroke="#0550ae" '
        f'fill="none"/>{dots}{ticks}<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">predicted'
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
    tense = next(cell for cell in report["confusion"] if cell["level"] == "TENSE")
    parts = [
        "<h1>Backtest</h1>",
        f"<p>{report['predictions']:,} predictions, of which {report['defaults']:,} went 30 days past due within "
        f"{report['horizon_days']} days; {report['censored']:,} more whose outcome can't be known.</p>",
        '<p class="note">Each prediction counts by itself: a borrower is scored again and again, and one in difficulty '
        "is pointed out on many days. Alerts come once for each episode.</p>",
        table("All", measures, picked([report["whole"]], measures)),
        '<h2>Reliability</h2><p class="note">On the dashed line what was predicted is what came.</p>',
        reliability_chart(report["whole"]["reliability"]),
        table("A borrower at this level or worse is pointed out", cells, picked(report["confusion"], cells)),
        table(
            "Examples of each cell, at TENSE or worse",
            ("cell", "borrowers"),
            [(name, ", ".join(borrowers)) for name, borrowers in tense["examples"].items()],
        ),
        table(
            "Precision against lead time, at TENSE or worse",
            leads,
            picked(report["lead_time"], leads),
            "Only defaults at least so many days ahead count as found.",
        ),
        table("By month", ("month", *measures), named(report["by_month"], measures)),
        table("By lender", ("lender", *measures), named(report["by_lender"], measures)),
        table("By the version that scored", ("version", *measures), named(report["by_version"], measures)),
        contacts(report["before_contact"]),
        table("Versions of the models", versions, picked(report["versions"], versions)),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Loanpulse backtest</title>'
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
