"""Consents to the processing of personal data."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from nastavnik_common import examples
from nastavnik_common.examples import example
from nastavnik_registry.bodies.base import Body, Text
from nastavnik_registry.domain import consents as rules
from nastavnik_registry.domain.consents import Signer

Purpose = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$"),
    Field(examples=["mentoring", "photo", "contacts"], description="Code of the one purpose"),
]


class NewConsent(Body):
    model_config = example(
        participant_id=examples.MENTEE,
        purpose="mentoring",
        version="2026-1",
        signed_on="2026-09-01",
        signed_by="legal_representative",
        representative_name="Примерова Ольга Ивановна",
    )

    id: UUID | None = None
    participant_id: UUID
    purpose: Purpose
    version: Annotated[Text, Field(max_length=63, description="Of the text that was signed")]
    signed_on: date
    signed_by: Signer
    representative_name: Text | None = None
    withdrawn_on: date | None = None

    def asked(self) -> rules.NewConsent:
        return rules.NewConsent(**self.model_dump())


class Withdrawal(Body):
    model_config = example(on="2026-11-02")

    on: date


class Consent(BaseModel):
    id: UUID
    record_version: int = Field(description="Of this record, as in ETag")
    participant_id: UUID
    purpose: str
    version: str = Field(description="Of the text that was signed")
    signed_on: date
    signed_by: Signer
    representative_name: str | None
    withdrawn_on: date | None
