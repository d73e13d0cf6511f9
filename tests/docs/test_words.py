"""The check of prose against docs/words.toml. `make lint` runs it on the project."""

from docs.check_words import hits_in, load_words, main


def found(file: str, text: str) -> list[tuple[int, str]]:
    return [(hit.line, hit.found) for hit in hits_in(file, text, load_words())]


def test_prose_of_python_is_checked_and_code_is_not() -> None:
    source = '"""A lane.\n\nFirst line.\nAt that moment."""\nlane = "lane"  # the slab\ntext = f"{lane} of a trail"\n'
    assert found("one.py", source) == [(1, "lane"), (4, "moment"), (5, "slab"), (6, "trail")]


def test_markdown_is_checked_outside_of_code() -> None:
    page = "The `lane` is fine.\n\n```\nlane\n```\n\nIt is let\ngo of.\n"
    assert found("one.md", page) == [(7, "let go")]


def test_a_context_or_a_comment_makes_a_word_right() -> None:
    assert found("one.md", "A credit card, an audit trail.\n") == []
    assert found("one.py", "# words: ok, the topic's name\n# a lane\n") == []
    assert found("one.py", "# a lane, and a credit card\n") == [(1, "lane")]


def test_each_hit_names_place_and_better_word() -> None:
    (hit,) = hits_in("one.md", "A slab.\n", load_words())
    assert str(hit) == "one.md:1: 'slab': write borrower store"


def test_a_file_with_a_word_to_avoid_fails(tmp_path, capsys) -> None:
    page = tmp_path / "page.md"
    page.write_text("Nothing wrong.\n", encoding="utf-8")
    assert main([str(page)]) == 0
    page.write_text("It was passed over.\n", encoding="utf-8")
    assert main([str(page)]) == 1
    assert "write skip" in capsys.readouterr().out
