"""The level of a borrower: bands of the index with hysteresis and dwell, and hard events that override them."""

from loanpulse.schemas.compiled import compiled
from loanpulse.schemas.delinquency import DEFAULT_DAYS
from loanpulse.schemas.units import DAY_MS
from loanpulse.streams.behaviours import episodes
from loanpulse.streams.record.codes import AMPLE, CRISIS, STATUS_WRITTEN_OFF
from loanpulse.streams.record.layout import LOANS, NO_TIME_S, Record
from loanpulse.streams.record.units import ms_of
from loanpulse.streams.scoring.parameters import ScoringParameters

NO_HARD_EVENT, HARD_30_DPD, HARD_WRITE_OFF, HARD_DISCONNECTION = range(4)
HARD_EVENT_NAMES = (None, "DPD_30", "WRITTEN_OFF", "DISCONNECTION_NOTICE")
"""The names by number, as the policy file and the contracts write them."""
DISCONNECTION_LASTS_DAYS = 30


@compiled
def level_of(lhi: float, parameters: ScoringParameters) -> int:
    """Return the level whose band holds the index."""
    for level in range(CRISIS):
        if lhi >= parameters["level_min_points"][level]:
            return level
    return CRISIS


@compiled
def level_with_hysteresis(lhi: float, level: int, parameters: ScoringParameters) -> int:
    """Return the level that the index asks for, given the present ``level``.

    It worsens at a band's lowest points, and improves only where the index is above them by the hysteresis.
    """
    worse = level_of(lhi, parameters)
    if worse >= level:
        return worse
    better = level_of(lhi - parameters["hysteresis"], parameters)
    return min(level, better)


@compiled
def hard_event(record: Record, days_past_due: int, time_ms: int) -> int:
    """Return the gravest hard event that holds at ``time_ms``."""
    for slot in range(LOANS):
        if record["loan_key"][slot] != 0 and record["loan_status"][slot] == STATUS_WRITTEN_OFF:
            return HARD_WRITE_OFF
    if days_past_due >= DEFAULT_DAYS:
        return HARD_30_DPD
    noticed = int(record["disconnection_at"])
    if noticed != NO_TIME_S and 0 <= time_ms - ms_of(noticed) < DISCONNECTION_LASTS_DAYS * DAY_MS:
        return HARD_DISCONNECTION
    return NO_HARD_EVENT


@compiled
def wanted_level(lhi: float, level: int, behaviours: int, parameters: ScoringParameters) -> int:
    """Return the level that the index asks for, one worse where behaviours compound each other."""
    worse = 1 if episodes.compounded(behaviours) else 0
    return min(CRISIS, level_with_hysteresis(lhi, max(AMPLE, level - worse), parameters) + worse)


@compiled
def next_level(record: Record, lhi: float, hard: int, time_ms: int, parameters: ScoringParameters) -> int:
    """Return the level at ``time_ms``: that of the index once the dwell is over, or a hard event's at once."""
    level: int = record["level"]
    wanted = wanted_level(lhi, level, int(record["behaviours"]), parameters)
    override = int(parameters["override_level"][hard])
    if override > level:
        return max(override, wanted)
    wanted = max(wanted, override)
    if record["scored"] == 0:
        return wanted
    dwell_ms = parameters["improvement_dwell_ms"]
    if wanted > level:
        dwell_ms = parameters["relapse_dwell_ms"] if record["improved"] == 1 else parameters["dwell_ms"]
    if wanted != level and time_ms - record["level_since"] < dwell_ms:
        return level
    return wanted
