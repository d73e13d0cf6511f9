"""Which version of the model is in force: the one place that decides it from the records of model-snapshots."""

from typing import Any

from loanpulse.schemas.contracts import ModelRole, ModelStatus
from loanpulse.streams.models.served import Served, check_servable, served_from_bytes

IN_FORCE_KEY = "champion"
"""The key under which model-snapshots holds the version in force, beside each version's own key."""


def puts_in_force(value: dict[str, Any]) -> bool:
    """Tell whether a record of model-snapshots puts its version in force: borrowers are scored with it from then on.

    A challenger is never in force, whatever its status; a refused or retired champion is not either.

    Examples:
        >>> puts_in_force({"status": "IN_FORCE", "role": "CHAMPION"})
        True
        >>> puts_in_force({"status": "CANDIDATE", "role": "CHALLENGER"})
        False
    """
    return bool(value["status"] == ModelStatus.IN_FORCE.name and value["role"] == ModelRole.CHAMPION.name)


def served_in_force(value: dict[str, Any]) -> Served | None:
    """Return the model that a record of model-snapshots puts in force, None where it puts none.

    Raises:
        WeightsError: the weights are damaged, or borrowers can't be scored with them.
    """
    if not puts_in_force(value):
        return None
    served = served_from_bytes(value["weights"], value["sha256"])
    check_servable(served)
    return served
