"""Checks prose against docs/words.toml: Markdown, and docstrings, comments and messages of Python.

Run from the project's folder: ``python docs/check_words.py [FILE …]``; without files it checks the project. It prints
file:line, the words found and what to write instead, and exits with 1 if it found any.
"""

import ast
import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
WORDS = Path(__file__).with_name("words.toml")
CODE = ("src/loanpulse/*.py", "src/loanpulse/*/**/*.py", "benchmarks/**/*.py", "docs/**/*.py", "tests/**/*.py")
LEFT_OUT = {"analyst.md", "evaluation.md", "speed.md", "glossary.md", "test_words.py"}
"""Pages whose text comes from elsewhere, besides ``reference-*.md``, and files that are about the words to avoid."""
EXCEPTED = "words: ok"
AROUND = 40
"""Characters before and after a match in which ``unless`` is looked for."""
FENCE = re.compile(r"^\s*(```|~~~)")
INLINE_CODE = re.compile(r"`[^`]*`")


@dataclass(frozen=True, slots=True)
class Word:
    """What to avoid, what to write instead, and the context in which it is right."""

    avoid: re.Pattern[str]
    instead: str
    unless: tuple[re.Pattern[str], ...]

    def found_in(self, text: str) -> Iterator[re.Match[str]]:
        for match in self.avoid.finditer(text):
            around = text[max(0, match.start() - AROUND) : match.end() + AROUND]
            if not any(context.search(around) for context in self.unless):
                yield match


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of prose and the line on which it begins."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """A word to avoid, and where it is."""

    file: str
    line: int
    found: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.found!r}: write {self.instead}"


def load_words(file: Path = WORDS) -> list[Word]:
    return [
        Word(
            re.compile(entry["avoid"].replace(" ", r"\s+"), re.IGNORECASE),
            entry["instead"],
            tuple(re.compile(context, re.IGNORECASE) for context in entry.get("unless", ())),
        )
        for entry in tomllib.loads(file.read_text(encoding="utf-8"))["word"]
    ]


def markdown_passages(text: str) -> Iterator[Passage]:
    """Yield paragraphs without code; a line break in a paragraph stays, so that lines can be counted."""
    fenced, start, lines = False, 1, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if FENCE.match(line):
            fenced = not fenced
            line = ""
        if fenced or not line.strip():
            if lines:
                yield Passage(start, "\n".join(lines))
            lines = []
        else:
            if not lines:
                start = number
            lines.append(INLINE_CODE.sub(lambda code: " " * len(code[0]), line))


def python_passages(source: str) -> Iterator[Passage]:
    """Yield comments, and string constants that hold a blank: docstrings and messages, not keys and names."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Passage(token.start[0], token.string)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield Passage(node.lineno, re.sub(r"``[^`]*``|`[^`]*`", lambda code: " " * len(code[0]), node.value))


def hits_in(file: str, text: str, words: Iterable[Word]) -> list[Hit]:
    """Return the words to avoid in a file's text; its name says whether it is Python or Markdown."""
    passages = list(python_passages(text) if file.endswith(".py") else markdown_passages(text))
    lines = text.splitlines()
    found = set()
    for word in words:
        for passage in passages:
            for match in word.found_in(passage.text):
                line = passage.line + passage.text.count("\n", 0, match.start())
                if not any(EXCEPTED in near for near in lines[max(0, line - 2) : line]):
                    found.add(Hit(file, line, " ".join(match[0].split()), word.instead))
    return sorted(found)


def project_files(root: Path = ROOT) -> list[Path]:
    """Return the Markdown and Python files whose prose is written by hand."""
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "tests").rglob("*.md")]
    code = {file.resolve() for pattern in CODE for file in root.glob(pattern)}
    files = [*sorted(pages), *sorted(code)]
    return [file for file in files if file.name not in LEFT_OUT and not file.name.startswith("reference-")]


def main(arguments: list[str]) -> int:
    words = load_words()
    hits: list[Hit] = []
    for file in [Path(name).resolve() for name in arguments] or project_files():
        name = str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)
        hits += hits_in(name, file.read_text(encoding="utf-8"), words)
    for hit in hits:
        sys.stdout.write(f"{hit}\n")
    return 1 if hits else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
