"""Reading the configuration, and saying where each value came from and what is wrong with it in one sentence."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import SecretStr, ValidationError

from loanpulse.settings.model import Settings

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
    """One setting as it stands: its dotted key, its value (secrets masked), where it came from, what it is for."""

    key: str
    value: str
    origin: str
    description: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The configuration with the origin of every value."""

    settings: Settings
    origins: tuple[Origin, ...]


def load(path: str | Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the configuration of defaults, file and environment; see ``load_with_origins``."""
    return load_with_origins(path, environment).settings


def load_with_origins(path: str | Path | None = None, environment: Mapping[str, str] | None = None) -> Loaded:
    """Return the configuration with the origin of every value.

    The file is ``path``, or what LOANPULSE_CONFIG names, or loanpulse.toml in the working folder if it is there.

    Raises:
        SettingsError: the file can't be read, a key is unknown or a value not allowed.
    """
    variables = os.environ if environment is None else environment
    file, content = _read_file(path, variables)
    origins = {key: str(file) for key in _keys(content)}
    values = {section: dict(keys) if isinstance(keys, dict) else keys for section, keys in content.items()}
    for variable, section, key, text in _from_environment(variables):
        entries = values.setdefault(section, {})
        if isinstance(entries, dict):
            entries[key] = _parsed(section, key, text)
        origins[f"{section}.{key}"] = variable
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_sentence(error, origins)) from None
    return Loaded(settings, tuple(_origins(settings, origins)))


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


def _keys(content: Mapping[str, Any]) -> Iterator[str]:
    for section, keys in content.items():
        if isinstance(keys, dict):
            yield from (f"{section}.{key}" for key in keys)


def _from_environment(variables: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """Yield (variable, section, key, text) of every variable of ours."""
    for variable, text in sorted(variables.items()):
        if not variable.startswith(PREFIX) or DELIMITER not in variable:
            continue
        section, key = variable.removeprefix(PREFIX).lower().split(DELIMITER, 1)
        yield variable, section, key, text


def _parsed(section: str, key: str, text: str) -> Any:
    """Return a variable's value: lists as JSON or separated by commas, else as it stands."""
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
        return f"{key}{source} is not a setting; take one of {', '.join(known)}."
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
