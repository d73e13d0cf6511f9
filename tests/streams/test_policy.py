"""The policy file: what is wrong is one sentence that names the key."""

from pathlib import Path

import pytest

from loanpulse.schemas.contracts import Level
from loanpulse.streams import policy as policies


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = policies.PACKAGED.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "policy.toml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


def test_the_packaged_policy_gives_advice_at_every_level() -> None:
    policy = policies.load()
    assert all(policy.actions(level) for level in Level if level is not Level.UNKNOWN)
    assert policy.actions(Level.TENSE)[0] == "HOLD_UNDISBURSED_APPLICATION"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("neutral_pd = 0.04", "neutral_pd = 1.5", "index.neutral_pd"),
        ("STABLE = 62.0", "STABLE = 99.0", "levels"),
        ('"MONITOR_CLOSELY"', '"THREATEN"', "actions.WATCH"),
        ("hysteresis = 4.0", "hysterisis = 4.0", "levels.hyster"),
        ("[index]", "[index", "TOML"),
    ],
)
def test_a_mistake_is_named_by_its_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    with pytest.raises(policies.PolicyError) as caught:
        policies.load(changed(tmp_path, old, new))
    assert key in str(caught.value) or key == "TOML"
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told() -> None:
    with pytest.raises(policies.PolicyError, match="can't be read"):
        policies.load("/nowhere/policy.toml")
