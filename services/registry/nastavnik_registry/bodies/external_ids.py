"""Ids of outside systems."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from nastavnik_common.examples import example
from nastavnik_registry.bodies.base import Body, OutsideId, SourceName

EntityKind = Literal["organization", "participant"]


class ResolveRequest(Body):
    model_config = example(source="sis.example", kind="participant", ids=["pupil-1", "pupil-2"])

    source: SourceName
    kind: EntityKind
    ids: Annotated[list[OutsideId], Field(max_length=10_000)]


class Resolved(BaseModel):
    found: dict[str, UUID]
    unknown: list[str]
