"""Ids of outside systems."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from nastavnik_registry.bodies.base import Body, OutsideId, SourceName

EntityKind = Literal["organization", "participant"]


class ResolveRequest(Body):
    source: SourceName
    kind: EntityKind
    ids: Annotated[list[OutsideId], Field(max_length=10_000)]


class Resolved(BaseModel):
    found: dict[str, UUID]
    unknown: list[str]
