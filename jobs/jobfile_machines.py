"""The machines of a job file, and what all of its parts have in common."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from jobs.engine import parse_bytes
from pipeline.errors import BadRequest

Text = Annotated[str, Field(min_length=1)]


class Words(BaseModel):
    """Keys with values, and no others."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


def _memory(text: str) -> str:
    try:
        parse_bytes(text)
    except BadRequest:
        raise ValueError("should be an amount like 6G or 800M") from None
    return text


class Machines(Words):
    """Where to work, as the options of stylize."""

    workers: Annotated[int, Field(ge=1)] | None = None
    """Cores to use; by default all, as memory allows."""
    memory: Annotated[str, AfterValidator(_memory)] | None = None
    """Of all processes together: 6G, 800M."""
    gpus: Annotated[int, Field(ge=0)] | None = None
    """By default all that there are."""
    address: Text | None = None
    """Of a running Ray cluster: auto, or HOST:PORT."""

    @model_validator(mode="after")
    def _a_cluster_has_its_memory(self) -> "Machines":
        if self.address and self.memory:
            raise ValueError(
                "memory is for a Ray of our own; a cluster's nodes have what they have"
            )
        return self
