"""Parameters in statements that travel as text."""

from loanpulse.sinks.statements import filled


def test_values_are_quoted_and_cast() -> None:
    assert filled("SELECT {lender:String}", {"lender": "it's"}) == r"SELECT CAST('it\'s' AS String)"
    assert filled("{a:UInt8} {t:DateTime64(3, 'UTC')}", {"a": 1, "t": "x"}) == (
        "CAST('1' AS UInt8) CAST('x' AS DateTime64(3, 'UTC'))"
    )


def test_a_value_is_never_read_as_a_placeholder() -> None:
    assert filled("{a:String}{b:String}", {"a": "{b:String}", "b": "x"}) == (
        "CAST('{b:String}' AS String)CAST('x' AS String)"
    )


def test_a_placeholder_without_a_value_is_unchanged() -> None:
    assert filled("SELECT {other:String}", {"lender": "a"}) == "SELECT {other:String}"
