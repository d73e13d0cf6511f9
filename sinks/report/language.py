"""The languages that the report can be written in."""

from enum import StrEnum


class Language(StrEnum):
    """A language of the report."""

    EN = "en"
    ZH = "zh"
