"""What any text owes that people read."""

import re

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def assert_readable(what: str, english: str, chinese: str) -> None:
    """Assert that a reason can be shown: English with a capital and no full stop, Chinese in Chinese."""
    first = english[:1]
    assert first.isupper() or first.isdigit(), f"{what}: begin the English reason with a capital letter"
    assert not english.endswith("."), f"{what}: the English reason is a phrase; drop its full stop"
    assert CHINESE.search(chinese), f"{what}: write the Chinese reason in Chinese"
    assert not chinese.endswith("。"), f"{what}: the Chinese reason is a phrase; drop its full stop"


def assert_told(what: str, **texts: str) -> None:
    """Assert that none of these texts is empty."""
    for name, text in texts.items():
        assert text.strip(), f"{what}: say its {name}"
