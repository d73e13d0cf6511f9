"""From connection to chart: the portfolio by level, day by day.

    python docs/examples/portfolio_chart.py --lender lender-a --out portfolio.svg

The warehouse is that of the configuration (loanpulse.toml, LOANPULSE_CONFIG or LOANPULSE_WAREHOUSE__…): embedded or a
server, with or without a running loader. The answer is an Arrow table; take it to pandas, Polars or where you like.
"""

import argparse
from pathlib import Path

import altair as alt

from loanpulse.settings import load
from loanpulse.sinks.queries import named_queries
from loanpulse.sinks.query_client import run_named_query

LEVELS = ["AMPLE", "STABLE", "WATCH", "TENSE", "CRISIS"]
COLOURS = ["#1d6f5b", "#7fb99e", "#e8c468", "#df7a3f", "#a8232f"]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--lender", required=True)
    arguments.add_argument("--since", default="90d")
    arguments.add_argument("--out", type=Path, default=Path("portfolio.svg"))
    given = arguments.parse_args()

    query = named_queries()["portfolio-daily"]
    rows = run_named_query(load().warehouse, query, {"lender": given.lender, "since": given.since})
    days = [{"day": str(row["day"]), "level": row["level"], "borrowers": row["borrowers"]} for row in rows.to_pylist()]

    chart = (
        alt.Chart(alt.Data(values=days), title=f"Borrowers of {given.lender} by level")
        .mark_bar()
        .encode(
            x=alt.X("day:T", title=None),
            y=alt.Y("sum(borrowers):Q", title="borrowers scored that day"),
            color=alt.Color("level:N", scale=alt.Scale(domain=LEVELS, range=COLOURS), title=None),
        )
        .properties(width=720, height=280)
    )
    chart.save(given.out)


if __name__ == "__main__":
    main()
