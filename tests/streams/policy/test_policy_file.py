"""The policy file: what is wrong is one sentence that names the key."""

from pathlib import Path

import pytest

from loanpulse.schemas.contracts import AlertKind, Level
from loanpulse.streams.policy import policy_file
from loanpulse.streams.policy.actions import MEANINGS, Action

STABLE = policy_file.load().file.levels.STABLE


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = policy_file.PACKAGED.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "policy.toml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


def test_the_packaged_policy_gives_advice_at_every_level_and_for_every_behaviour() -> None:
    policy = policy_file.load()
    for level in (Level.STABLE, Level.WATCH, Level.TENSE, Level.CRISIS):
        assert policy.actions(AlertKind.LEVEL_WORSENED, level)
    for level in (Level.AMPLE, Level.STABLE, Level.WATCH, Level.TENSE):
        assert policy.actions(AlertKind.LEVEL_IMPROVED, level)
    for kind in AlertKind:
        if AlertKind.LEVEL_IMPROVED < kind < AlertKind.UNKNOWN:
            assert policy.actions(kind, Level.WATCH)
    assert policy.actions(AlertKind.LEVEL_WORSENED, Level.TENSE)[0] == Action.HOLD_UNDISBURSED_APPLICATION
    assert Action.LIFT_RESTRICTIONS in policy.actions(AlertKind.LEVEL_IMPROVED, Level.STABLE)


def test_every_action_says_what_it_means_and_none_is_a_threat() -> None:
    assert set(MEANINGS) == set(Action)
    said = " ".join(meaning.text_en.lower() for meaning in MEANINGS.values())
    assert not any(word in said for word in ("threat", "legal", "court", "seize", "family", "employer"))


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("neutral_pd = 0.0033", "neutral_pd = 1.5", "index.neutral_pd"),
        (f"STABLE = {STABLE}", "STABLE = 99.0", "levels"),
        ('"MONITOR_CLOSELY"', '"THREATEN"', "actions.STABLE"),
        ("USAGE_COLLAPSE =", "USAGE_CRASH =", "behaviour_actions.USAGE_COLLAPSE"),
        ("WELFARE_CHECK = 0.1", "CALL_THE_EMPLOYER = 0.1", "effects.CALL_THE_EMPLOYER"),
        ("share = 0.0", "share = 1.1", "hold_out.share"),
        ("largest_cut = 0.5 ", "largest_cut = 1.0 ", "help.largest_cut"),
        ('time_zone = "Asia/Shanghai"', 'time_zone = "Asia/Nowhere"', "jurisdictions.CN.time_zone"),
        ("contacts = 3", "contacts = 0", "jurisdictions.CN.contacts"),
        ("quiet_until = 08:00:00", "quiet_until = 21:00:00", "must differ"),
        ('jurisdiction = "CN"', 'jurisdiction = "XX"', "lenders.default.jurisdiction"),
        ("[lenders.default]", "[lenders.lender-a]", "lenders.default is missing"),
        ("hysteresis = ", "hysterisis = ", "levels.hyster"),
        ("[index]", "[index", "TOML"),
    ],
)
def test_a_mistake_is_named_by_its_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    with pytest.raises(policy_file.PolicyError) as caught:
        policy_file.load(changed(tmp_path, old, new))
    assert key in str(caught.value) or key == "TOML"
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told() -> None:
    with pytest.raises(policy_file.PolicyError, match="can't be read"):
        policy_file.load("/nowhere/policy.toml")
