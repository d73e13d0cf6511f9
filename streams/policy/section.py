"""What every section of the policy file shares."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section: unknown keys are errors, values don't change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
