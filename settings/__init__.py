"""The configuration of every part, read in one place: `loanpulse.toml`, then `LOANPULSE_SECTION__KEY`."""

from loanpulse.settings.loading import Loaded, Origin, SettingsError, load, load_with_origins
from loanpulse.settings.model import Settings

__all__ = ["Loaded", "Origin", "Settings", "SettingsError", "load", "load_with_origins"]
