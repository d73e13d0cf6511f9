"""The behaviours' parameters of a policy: checked against the catalogue, laid out as the compiled core reads them."""

from collections.abc import Mapping

import numpy as np

from loanpulse.streams.behaviours.catalogue import BEHAVIOURS, COUNT, MOST_PARAMETERS, NAMES
from loanpulse.streams.record.layout import Reals

Tables = Mapping[str, Mapping[str, float]]
"""The policy file's [behaviours.NAME] tables; what they leave out has the catalogue's default."""


def check_parameters(tables: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return the tables if each key is known and each value within its range.

    Raises:
        ValueError: one sentence that names the key and what is allowed.
    """
    for name, values in tables.items():
        if name not in NAMES:
            raise ValueError(f"{name} is not a behaviour: give one of {', '.join(NAMES)}")
        allowed = {parameter.name: parameter for parameter in BEHAVIOURS[NAMES.index(name)].parameters}
        for key, value in values.items():
            if key not in allowed:
                raise ValueError(f"{name}.{key} is not known: give one of {', '.join(allowed)}")
            parameter = allowed[key]
            if not parameter.least <= value <= parameter.most:
                raise ValueError(f"{name}.{key} is {value:g}: give {parameter.least:g} to {parameter.most:g}")
    return tables


def parameter_table(tables: Tables) -> Reals:
    """Return every behaviour's parameters in the catalogue's order, one row each.

    Examples:
        >>> float(parameter_table({"INCOME_SHOCK": {"fall": 0.3}})[NAMES.index("INCOME_SHOCK"), 1])
        0.3
    """
    table = np.zeros((COUNT, MOST_PARAMETERS))
    for row, behaviour in enumerate(BEHAVIOURS):
        given = tables.get(behaviour.name, {})
        for column, parameter in enumerate(behaviour.parameters):
            table[row, column] = given.get(parameter.name, parameter.default)
    return table
