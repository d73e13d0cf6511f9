"""Documented queries are found, described and bound to what is asked for."""

from datetime import UTC, datetime

import pytest

from loanpulse.sinks.queries import QueryParameterError, bind, named_queries, parse

NOW = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
TEXT = """-- What is asked.
-- lender: only this lender
-- since = 30d: from when
SELECT day FROM things
WHERE day >= {since:Date} AND at >= {since:DateTime64(3, 'UTC')}
    AND lender_id = {lender:String} -- if lender
ORDER BY day
"""
QUERY = parse("things", TEXT.replace(" AND at >= {since:DateTime64(3, 'UTC')}", ""))


def test_a_line_for_a_missing_parameter_is_left_out() -> None:
    bound = bind(QUERY, {}, NOW)
    assert "lender" not in bound.statement
    assert bound.values == {"since": "2026-03-01"}
    bound = bind(QUERY, {"lender": "lender-a"}, NOW)
    assert "AND lender_id = {lender:String}\nORDER" in bound.statement
    assert bound.values["lender"] == "lender-a"


@pytest.mark.parametrize(
    ("since", "wanted"),
    [("0d", "2026-03-31"), ("2w", "2026-03-17"), ("36h", "2026-03-30"), ("90m", "2026-03-31"),
     ("2026-01-02", "2026-01-02"), ("2026-01-02T23:30:00-02:00", "2026-01-03")],
)  # fmt: skip
def test_times_are_dates_or_before_now(since: str, wanted: str) -> None:
    assert bind(QUERY, {"since": since}, NOW).values["since"] == wanted


@pytest.mark.parametrize(
    ("given", "sentence"),
    [({"colour": "red"}, "things has no --colour; it takes --lender, --since."),
     ({"since": "soon"}, "--since is 'soon'; give a date")],
)  # fmt: skip
def test_a_wrong_parameter_gives_one_sentence(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(QueryParameterError) as told:
        bind(QUERY, given, NOW)
    assert sentence in str(told.value)


def test_a_required_parameter_must_be_given() -> None:
    with pytest.raises(QueryParameterError, match="borrower-history needs --borrower"):
        bind(named_queries()["borrower-history"], {}, NOW)


def test_there_are_more_than_twenty_and_each_describes_its_parameters() -> None:
    queries = named_queries()
    assert len(queries) >= 20
    for query in queries.values():
        names = {parameter.placeholder for parameter in query.parameters}
        assert all("{" + name + ":" in query.statement for name in names), query.name
