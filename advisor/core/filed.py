"""Document: the base of everything that is kept in a file as JSON."""

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """A frozen record; unknown fields, NaN and infinity are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)
