"""The configuration of all parts: `loanpulse.toml`, overridden by variables `LOANPULSE_SECTION__KEY`."""

from loanpulse.settings.loading import Loaded, Origin, SettingsError, load, load_with_origins
from loanpulse.settings.model import Settings

__all__ = ["Loaded", "Origin", "Settings", "SettingsError", "load", "load_with_origins"]
