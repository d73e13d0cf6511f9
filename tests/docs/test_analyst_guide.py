"""The analyst's guide can't rot: its questions are asked again, and the page must be what they give but for figures."""

import re
from pathlib import Path

import pytest

from docs import analyst_guide
from loanpulse.sinks.embedded import EmbeddedWarehouse
from loanpulse.sinks.queries import named_queries

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
MAY_BE_EMPTY = {"co-debt-surges"}
QUESTIONS = [question for part in analyst_guide.parts() for question in part["question"]]


def without_figures(page: str) -> list[str]:
    """The page without what depends on the city: the samples' rows, their number, and ids in commands."""
    kept = []
    in_sample = False
    for line in page.splitlines():
        is_rule = re.fullmatch(r"\|(---\|)+", line) is not None
        if in_sample and line.startswith("|"):
            continue
        in_sample = is_rule
        if re.fullmatch(r"… \d+ rows in all\.", line):
            continue
        kept.append(re.sub(r"--(borrower|alert|as-of) \S+", r"--\1", line))
    return [line for line in kept if line]


def test_the_page_is_what_its_questions_give(city_warehouse: EmbeddedWarehouse) -> None:
    written = (ROOT / "docs" / "analyst.md").read_text()
    assert without_figures(written) == without_figures(analyst_guide.guide(city_warehouse)), (
        "run `python -m docs.analyst_guide`"
    )


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["query"])
def test_a_question_has_an_answer(city_warehouse: EmbeddedWarehouse, question: dict[str, object]) -> None:
    given = analyst_guide.sample_values(city_warehouse)
    options = {name: given.get(value, value) for name, value in question["options"].items()}  # type: ignore[attr-defined]
    rows = analyst_guide.answer(city_warehouse, named_queries()[str(question["query"])], options)
    assert rows.num_rows or question["query"] in MAY_BE_EMPTY


def test_there_are_twenty_questions() -> None:
    assert len(QUESTIONS) == 20
    assert len({question["query"] for question in QUESTIONS}) == 20
