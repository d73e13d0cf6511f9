"""Read the configuration: the origin of each value, and errors of one sentence."""

import os
import tomllib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import SecretStr, ValidationError

from loanpulse.settings.model import Settings
from loanpulse.settings.renamed import Entry, with_new_names

FILE_NAME = "loanpulse.toml"
FILE_VARIABLE = "LOANPULSE_CONFIG"
PREFIX = "LOANPULSE_"
DELIMITER = "__"
DEFAULT = "default"
MASK = "********"


class SettingsError(ValueError):
    """The configuration can't be used; the text is one sentence that names the key and what is allowed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One effective setting: its dotted key, its value (secrets masked), its source, and what it is for."""

    key: str
    value: str
    origin: str
    description: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The configuration, the origin of every value, and a warning for each key under an old name."""

    settings: Settings
    origins: tuple[Origin, ...]
    warnings: tuple[str, ...] = ()


def load(path: str | Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the configuration of defaults, file and environment; see ``load_with_origins``.

    Keys under an old name raise a FutureWarning.
    """
    loaded = load_with_origins(path, environment)
    for warning in loaded.warnings:
        warnings.warn(warning, FutureWarning, stacklevel=2)
    return loaded.settings


def load_with_origins(path: str | Path | None = None, environment: Mapping[str, str] | None = None) -> Loaded:
    """Return the configuration with the origin of every value.

    The file is ``path``, or the one that LOANPULSE_CONFIG names, or loanpulse.toml in the working folder if it exists.

    Raises:
        SettingsError: the file can't be read, a key is unknown or a value is not allowed.
    """
    variables = os.environ if environment is None else environment
    file, content = _read_file(path, variables)
    given = [*_from_file(content, str(file)), *_from_environment(variables)]
    entries, renamed = with_new_names(given, PREFIX, DELIMITER)
    values = {section: {} if isinstance(keys, dict) else keys for section, keys in content.items()}
    for entry in entries:
        section = values.setdefault(entry.section, {})
        if isinstance(section, dict):
            section[entry.key] = entry.value
    origins = {f"{entry.section}.{entry.key}": entry.origin for entry in entries}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_sentence(error, origins)) from None
    return Loaded(settings, tuple(_origins(settings, origins)), tuple(renamed))


def _read_file(path: str | Path | None, variables: Mapping[str, str]) -> tuple[Path | None, dict[str, Any]]:
    named = path or variables.get(FILE_VARIABLE)
    file = Path(named or FILE_NAME)
    if not named and not file.exists():
        return None, {}
    try:
        return file, tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"The configuration file {file} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"The configuration file {file} is not TOML: it is not UTF-8 text.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The configuration file {file} is not TOML: {error}.") from None


def _from_file(content: Mapping[str, Any], file: str) -> Iterator[Entry]:
    for section, keys in content.items():
        if isinstance(keys, dict):
            yield from (Entry(section, key, value, file, is_variable=False) for key, value in keys.items())


def _from_environment(variables: Mapping[str, str]) -> Iterator[Entry]:
    """Yield an entry for each variable LOANPULSE_SECTION__KEY."""
    for variable, text in sorted(variables.items()):
        if not variable.startswith(PREFIX) or DELIMITER not in variable:
            continue
        section, key = variable.removeprefix(PREFIX).lower().split(DELIMITER, 1)
        yield Entry(section, key, _parsed(section, key, text), variable, is_variable=True)


def _parsed(section: str, key: str, text: str) -> Any:
    """Return a variable's value: a list from JSON or comma-separated text, otherwise the text itself."""
    model = Settings.model_fields.get(section)
    field = getattr(model.annotation, "model_fields", {}).get(key) if model else None
    if field is None or "list" not in str(field.annotation):
        return text
    if text.startswith("["):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return [part.strip() for part in text.split(",") if part.strip()]


def _sentence(error: ValidationError, origins: Mapping[str, str]) -> str:
    first = error.errors()[0]
    parts = [str(part) for part in first["loc"]]
    key = ".".join(parts[:2])
    origin = origins.get(key)
    source = f" (from {origin})" if origin else ""
    if first["type"] == "extra_forbidden":
        known = _known(parts)
        return f"{key}{source} is not a setting; use one of {', '.join(known)}."
    what = first["msg"].removeprefix("Value error, ").rstrip(".")
    if first["type"] == "value_error":
        return f"[{key}] {what}."
    value = first.get("input")
    shown = "" if "password" in key or isinstance(value, (dict, SecretStr)) else f" is {value!r}"
    return f"{key}{shown}{source}: {what[:1].lower()}{what[1:]}."


def _known(parts: list[str]) -> list[str]:
    if len(parts) < 2:
        return sorted(Settings.model_fields)
    section = Settings.model_fields[parts[0]].annotation
    return sorted(getattr(section, "model_fields", {}))


def _origins(settings: Settings, origins: Mapping[str, str]) -> Iterator[Origin]:
    for section in Settings.model_fields:
        values = getattr(settings, section)
        for key, field in type(values).model_fields.items():
            value = getattr(values, key)
            if isinstance(value, SecretStr):
                shown = MASK if value.get_secret_value() else ""
            else:
                shown = ",".join(map(str, value)) if isinstance(value, list) else str(value)
            name = f"{section}.{key}"
            yield Origin(name, shown, origins.get(name, DEFAULT), field.description or "")
