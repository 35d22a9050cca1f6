"""What operators do."""

from typing import Literal

from pydantic import BaseModel

AggregateKind = Literal["organization", "participant", "target", "programme", "reference_count"]


class Republished(BaseModel):
    """How many events were put into the outbox, by kind; tombstones included."""

    counts: dict[str, int]
