"""Org units."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from nastavnik_common import examples
from nastavnik_common.events.registry import Level, OrganizationKind
from nastavnik_common.examples import example
from nastavnik_common.fields import ABSENT
from nastavnik_registry.bodies.base import Body, Digits, ExternalRef, ExternalRefs, Text


class PlacementBody(Body):
    """A stretch of time under a parent: [since, until), null is open."""

    parent_id: UUID
    since: date | None = None
    until: date | None = None


Placements = Annotated[list[PlacementBody], Field(max_length=100)]


class OrganizationFields(Body):
    kind: OrganizationKind | None = Field(
        default=None, description="Required of an organisation, forbidden for territories"
    )
    short_name: Text | None = None
    oktmo: Digits | None = None
    inn: Digits | None = None
    ogrn: Digits | None = None
    parent_id: UUID | None = Field(
        default=None, description="Short for one open placement; not together with `placements`"
    )


class NewOrganization(OrganizationFields):
    model_config = example(
        level="organization",
        kind="general",
        name="Средняя школа № 1",
        parent_id=examples.REGION,
        external_ids=[{"source": "sis.example", "id": "school-1"}],
    )

    id: UUID | None = None
    level: Level
    name: Text
    placements: Placements | None = None
    external_ids: ExternalRefs = Field(default=[])


class OrganizationPatch(OrganizationFields):
    """What is absent stays; null clears. The level of a unit never changes."""

    model_config = example(short_name="СОШ № 1")

    name: Text = ABSENT
    placements: Placements = ABSENT
    external_ids: ExternalRefs = ABSENT


class Organization(BaseModel):
    id: UUID
    version: int
    level: Level
    kind: OrganizationKind | None
    name: str
    short_name: str | None
    oktmo: str | None
    inn: str | None
    ogrn: str | None
    code: str | None = Field(description="The source system's own code, from an import")
    placements: list[PlacementBody]
    external_ids: list[ExternalRef]
