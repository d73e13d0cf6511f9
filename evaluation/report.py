"""The evaluation as a page for people: figures, targets, the commands that make them, and their limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loanpulse.evaluation.alarms import AHEAD_DAYS, Lead
from loanpulse.evaluation.evaluation import WARM_UP_DAYS, Evaluation, Headline
from loanpulse.schemas.delinquency import DEFAULT_DAYS

LEAST_LEAD_DAYS = 14.0
LEAST_PRECISION = 0.5
HIGHEST_FLIP_RATE = 0.05
COVERAGE_RANGE = (0.76, 0.84)
LEAST_REASONS_KEPT = 0.91
LEADS = "lead: quartile / **median** / quartile"


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked of the engine, what was measured, and whether that is enough."""

    name: str
    asked: str
    measured: str
    met: bool


def targets(city: Headline) -> tuple[Target, ...]:
    """Return the targets for a city. Lead and precision are those of the shipped levels."""
    low, high = COVERAGE_RANGE
    return (
        Target(
            "median lead time before the first missed instalment, by the levels as shipped",
            f"{LEAST_LEAD_DAYS:.0f} days or more", f"{_number(city.lead.median, 0)} days",
            city.lead.median >= LEAST_LEAD_DAYS,
        ),
        Target(
            "precision of the same alarms, counted strictly ahead of the first miss",
            f"{LEAST_PRECISION:.2f} or better", _number(city.precision), city.precision >= LEAST_PRECISION,
        ),
        Target(
            "every kind of life event seen, and more often than by chance", "all",
            "all" if not city.life_events_unseen else f"not {', '.join(city.life_events_unseen)}",
            city.life_events > 0 and not city.life_events_unseen,
        ),
        Target(
            "level changes undone within 7 days", f"{HIGHEST_FLIP_RATE:.0%} or less", _share(city.flip_rate),
            city.flip_rate <= HIGHEST_FLIP_RATE,
        ),
        Target(
            "shortfalls inside the 80% interval, of the forecasts that foresee one",
            f"{low:.0%} to {high:.0%}", _share(city.inside), low <= city.inside <= high,
        ),
        Target(
            "the first reason of borrowers at WATCH or worse kept within noise",
            f"{LEAST_REASONS_KEPT:.2f} or better", _number(city.reasons_kept),
            city.reasons_kept >= LEAST_REASONS_KEPT,
        ),
    )  # fmt: skip


def markdown(evaluation: Evaluation, command: str) -> str:
    """Return the page; ``command`` is the line that made it."""
    one = evaluation
    parts = [
        "# How good the index is, in a simulated city",
        "This page is written by the command, never by hand:",
        f"```sh\n{command}\n```",
        f"It simulates {one.borrowers} borrowers over {one.days} days with seed {one.seed} ({one.events:,} events), "
        "replays the events through the engine in process, as `loanpulse replay` would, and compares what the engine "
        "said with a truth that is told aside and never reaches an event. A second city with seed "
        f"{one.training_seed} teaches the boosted trees, and sets every threshold that the policy file does not hold.",
        "## What is asked, and what came",
        *_targets(one),
        *_alarms(one),
        *_ranking(one),
        *_life_events(one),
        *_behaviours(one),
        *_shortfall(one),
        *_left_out(one),
        *_limits(one),
    ]
    return "\n\n".join(parts) + "\n"


def _targets(one: Evaluation) -> list[str]:
    cities = (one.headline, *one.beside)
    measured = [targets(city) for city in cities]
    rows = [
        (
            each[0].name, each[0].asked, *(target.measured for target in each),
            "yes" if all(target.met for target in each) else "**no**",
        )
        for each in zip(*measured, strict=True)
    ]  # fmt: skip
    parts = [_table(("", "asked", *(f"seed {city.seed}" for city in cities), "met"), rows)]
    if not one.beside:
        return parts
    counts = [
        (
            f"seed {city.seed}", str(city.misses), str(city.alarms.right), str(city.alarms.wrong),
            str(city.alarms.confirm), _number(city.precision), _lead(city.lead), _lead(city.lead_first),
            f"{city.level_changes:,}",
        )
        for city in cities
    ]  # fmt: skip
    head = (
        "", "rows missed", "right", "wrong", "confirm a known miss", "precision", LEADS, "lead, first ever",
        "level changes",
    )  # fmt: skip
    return [*parts, "The same levels in each city; the words are explained below.", _table(head, counts)]


def _default_rows(one: Evaluation) -> list[tuple[str, ...]]:
    """Return a row a detector: its alarms judged by the spells that ended in a default."""
    return [
        (
            each.name, _number(each.precision_default),
            f"{each.lead_default.seen_before} of {each.lead_default.failures}", _lead(each.lead_default),
            _number(each.within_budget.recall),
        )
        for each in one.judged
    ]  # fmt: skip


def _alarms(one: Evaluation) -> list[str]:
    rows = [
        (
            each.name, str(each.alarms.right), str(each.alarms.wrong), str(each.alarms.confirm),
            _number(each.precision), f"{each.lead.seen_before} of {each.lead.failures}", _lead(each.lead),
            _lead(each.lead_first), _number(each.within_budget.worked.precision),
        )
        for each in one.judged
    ]  # fmt: skip
    head = (
        "", "right", "wrong", "confirm a known miss", "precision", "rows seen before", LEADS, "lead, first ever",
        "precision in the budget",
    )  # fmt: skip
    return [
        "## Alarms",
        f"There were {one.misses} rows of missed instalments (due dates missed within 40 days of each other, by one "
        f"borrower). An alarm is *right* only if such a row begins 1 to {AHEAD_DAYS} days after it, and *wrong* if "
        "none does. An alarm raised while a row stands already (from its first missed due date until "
        f"{DEFAULT_DAYS} days after its last) warns of nothing that its lender does not know: it *confirms a known "
        "miss*, is neither right nor wrong, and does not count in the precision, which is right / (right + wrong).",
        f"Lead is counted in days (at most {AHEAD_DAYS}) from the beginning of the alarm that stands when the first "
        "due date of a row is missed, over all rows, also those that were never seen (they count as 30 days late); an "
        "alarm that went away for more than 30 days is no warning any more. *First ever* counts the first row of each "
        "borrower only, before which no earlier trouble could have left an alarm raised. The budget is "
        f"{one.budget_a_day:g} borrowers a day, by rank, each worked on once in 30 days; its precision is counted like "
        "the alarms'.",
        _table(head, rows),
        "The rules: " + "; ".join(f"{each.name.split(': ')[-1]}: {each.rule}" for each in one.judged) + ".",
        f"Levels changed {one.headline.level_changes:,} times; {_share(one.headline.flip_rate)} of that was undone "
        "within 7 days.",
        f"Of the rows, {one.defaults} ended in a default (30 days past due). The same alarms, where only these count:",
        _table(("", "precision", "defaults seen before", LEADS, "caught in the budget"), _default_rows(one)),
        "Few missed instalments become defaults, and nobody can tell which before they are missed better than on the "
        "day after: the rule of one day past due shows what is known then. So the lead is asked of the instalment that "
        "is missed, and not of the default.",
    ]


def _lead(lead: Lead) -> str:
    return f"{_number(lead.quartile_low, 0)} / **{_number(lead.median, 0)}** / {_number(lead.quartile_high, 0)}"


def _ranking(one: Evaluation) -> list[str]:
    return [
        "## Ranking",
        "Every borrower who owes something is asked about once a week. *Default*: does an instalment go 30 days past "
        f"due within 30 days ({one.cases_default:,} cases, {one.positives_default} yes). *Early*: with nothing "
        "overdue today, does an instalment fall due within 30 days that begins a row of missed ones that defaults "
        f"({one.cases_early:,} cases, {one.positives_early} yes). The weeks of one borrower resemble each other, so "
        "the cases are fewer than they look.",
        _table(
            ("", "AUC default", "KS default", "AUC early", "KS early"),
            [
                (
                    each.name, _number(each.ranked.auc_default, 3), _number(each.ranked.ks_default, 3),
                    _number(each.ranked.auc_early, 3), _number(each.ranked.ks_early, 3),
                )
                for each in one.judged
                if each.name != "Loanpulse, threshold"
            ],
        ),
    ]  # fmt: skip


def _life_events(one: Evaluation) -> list[str]:
    rows = [
        (
            each.kind, str(each.count), _share(each.seen), _share(each.by_chance), _number(each.days_to_alert, 0),
            f"{each.failed_seen} of {each.failed}",
        )
        for each in one.life_events
    ]  # fmt: skip
    return [
        "## Life events",
        "Seen: a level worsened to WATCH or worse, or a behaviour was found, between the event's first day and 30 "
        "days after its last. By chance: the same of borrowers whose life was undisturbed, over the same days.",
        _table(
            ("", "events", "seen", "by chance", "days to the first alert (median)", "defaults seen before the miss"),
            rows,
        ),
    ]


def _behaviours(one: Evaluation) -> list[str]:
    rows = [
        (each.kind, str(each.count), _number(each.a_year), _share(each.in_trouble), _number(each.quiet_a_year))
        for each in one.behaviours
    ]
    return [
        "## Behaviours",
        "In trouble: a life event goes on or ended within 30 days, or an instalment is missed within 90 days; that is "
        f"so on {_share(one.share_in_trouble)} of all days, which is what a behaviour found at random would score.",
        _table(("", "found", "a borrower and year", "in trouble", "a quiet borrower and year"), rows),
    ]


def _shortfall(one: Evaluation) -> list[str]:
    each = one.shortfall
    if not each.foreseen:
        return ["## Days to shortfall", "No shortfall was foreseen."]
    return [
        "## Days to shortfall",
        "Once a week, of borrowers with nothing overdue: the forecast quantiles of the days until the account can't "
        "meet an instalment, against the day on which that happened, both cut at 90 days. Counted are the forecasts "
        "that foresee a shortfall, whose first quantile lies within the 90 days.",
        _table(
            ("forecasts", "of them foresee", "inside 10%–90%", "before it", "after it", "before the median"),
            [
                (
                    f"{each.forecasts:,}", f"{each.foreseen:,}", _share(each.inside), _share(each.before),
                    _share(each.after), _share(each.before_median),
                )
            ],
        ),
        f"The others say \"90 days or more\" of borrowers of whom that is nearly always so; with them "
        f"{_share(each.inside_all)} lie inside.",
    ]  # fmt: skip


def _left_out(one: Evaluation) -> list[str]:
    whole = one.judged[0].ranked
    rows = [
        (
            each.indicator, _number(each.auc_default, 3), _signed(each.auc_default - whole.auc_default),
            _number(each.auc_early, 3), _signed(each.auc_early - whole.auc_early),
        )
        for each in one.left_out
    ]  # fmt: skip
    return [
        "## Each indicator left out",
        "The index again from the snapshots' points, without those of one indicator. A fall means that the indicator "
        "helps; a rise that its expert weight is too high for this city.",
        _table(("without", "AUC default", "change", "AUC early", "change"), rows),
    ]


def _limits(one: Evaluation) -> list[str]:
    return [
        "## What this can't show",
        "- The city is simulated. Its households fail for reasons that its authors thought of, in the order in which "
        "they thought that trouble shows; real borrowers fail for others. The figures say that the engine finds what "
        "is there to be found, not how much is there in a real loan book. For that, replay a log of your own, and "
        "compare with its arrears.\n"
        "- Anchors, weights and thresholds are experts' choices, and the city was made by the same project. Boosted "
        "trees that learn from a second city beside it show how much of its regularities a learner can pick up. Where "
        "the forecast's interval starts was set on the cities with the seeds 12 to 15 (250 borrowers, 400 days); the "
        "weights of four indicators, the neutral probability and the floor under which TENSE begins on those with the "
        "seeds 301 to 303 (400 borrowers, 400 days). A seed of neither is one that nothing was set on.\n"
        "- Nobody acts on the alarms here. In life an alarm that is worked prevents the failure that would have "
        "proved it right.\n"
        f"- The first {WARM_UP_DAYS} days and the last months are not judged, and {one.misses} rows are few: "
        "another seed moves precision by some hundredths and the median lead by days. Run it with other seeds before "
        "you trust a difference.",
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def _number(value: float, places: int = 2) -> str:
    return "none" if math.isnan(value) else f"{value:.{places}f}"


def _share(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:.1%}"


def _signed(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:+.3f}"
