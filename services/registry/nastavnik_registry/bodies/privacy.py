"""Personal data: what is held of a person, the trace, acts of destruction, purposes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from nastavnik_common.fields import WHOLE
from nastavnik_registry.bodies.base import Body
from nastavnik_registry.bodies.consents import Consent
from nastavnik_registry.bodies.imports import ImportedChange
from nastavnik_registry.bodies.participants import Participant
from nastavnik_registry.domain.privacy import Basis


class Purpose(BaseModel):
    code: str
    ru: str
    en: str
    needs: list[str] = Field(description="Categories of data kept for this purpose alone")


class Purposes(BaseModel):
    items: list[Purpose]


class Erasure(Body):
    basis: Basis


class TraceEntry(BaseModel):
    """Who did what with whose data. Categories, never values."""

    id: int
    at: datetime
    actor: str | None = Field(description="Opaque, as in logs; null: the service itself")
    action: str
    route: str
    participant_ids: list[UUID]
    categories: list[str]
    correlation_id: str | None
    cause: str | None = Field(description="E.g. the import that it came of")


class DestructionAct(BaseModel):
    id: UUID
    number: str = Field(examples=["2026-00001"])
    drawn_at: datetime
    kind: Literal["erased", "deleted", "contacts_destroyed"]
    basis: str
    actor: str | None
    participant_ids: list[UUID]
    categories: list[str]
    log: list[TraceEntry] | None = Field(
        default=None, description="Extract of the trace; of a single act"
    )


class Gone(BaseModel):
    """A stored answer that named somebody whose data was destroyed since."""

    type: Literal["about:blank"] = "about:blank"
    title: Literal["Gone"] = "Gone"
    status: Literal[410] = 410
    code: Literal["participant.data_destroyed"] = "participant.data_destroyed"
    detail: str = "The answer held personal data that has been destroyed."


class PersonalData(BaseModel):
    """All that the registry holds of a person."""

    generated_at: datetime
    participant: Participant
    consents: list[Consent]
    imports: list[ImportedChange] = Field(description="What rosters brought and changed")
    curator_of: list[UUID] = Field(description="Programmes")
    trace: list[TraceEntry] = Field(description="Who read or changed it, newest first")
    trace_complete: bool = Field(description="False: more entries than are listed here")
    acts: list[DestructionAct]


class KnownHead(Body):
    """A head of the chain that was kept elsewhere."""

    seq: Annotated[int, Field(ge=0, le=2**53 - 1), WHOLE]
    hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class VerifyRequest(Body):
    known_head: KnownHead | None = None


class TraceFault(BaseModel):
    seq: int | None
    entry_id: int | None
    what: str


class Verified(BaseModel):
    intact: bool
    entries: int
    head: KnownHead = Field(description="Keep it elsewhere, and ask with it again")
    faults: list[TraceFault] = Field(description="At most a hundred")
