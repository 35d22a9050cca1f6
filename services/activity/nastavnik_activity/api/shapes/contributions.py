"""Contributions as clients send and get them."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from nastavnik_activity.api.fields import Body, Day, Number
from nastavnik_activity.domain import contributions
from nastavnik_activity.domain.contributions import CURRENCY
from nastavnik_common import examples
from nastavnik_common.events.activity import (
    ContributionState,
    PartnerKind,
    RecordStatus,
    ResourceKind,
)
from nastavnik_common.examples import example
from nastavnik_common.fields import ABSENT

Currency = Annotated[str, Field(max_length=10, json_schema_extra={"enum": [CURRENCY]})]


class NewContributionBody(Body):
    model_config = example(
        organization_id=examples.SCHOOL,
        partner_kind="organization",
        kind="money",
        amount="12500.50",
        date="2026-10-05",
    )

    id: UUID | None = Field(default=None, description="Yours, so that a repeat is recognised")
    organization_id: UUID = Field(description="Whose programme it is given to")
    partner_kind: PartnerKind
    partner_id: UUID | None = Field(
        default=None, description="Of an organisation, or else of a participant"
    )
    kind: ResourceKind
    amount: Number = Field(description="Worth in roubles, at most two decimal places")
    currency: Currency = CURRENCY
    date: Day

    def asked(self) -> contributions.NewContribution:
        return msgspec.convert(self.model_dump(), contributions.NewContribution)


class ContributionChanges(Body):
    """A correction: absent fields stay."""

    model_config = example(amount="13000.00")

    partner_kind: PartnerKind = ABSENT
    partner_id: UUID | None = Field(default=None, description="null: not named")
    kind: ResourceKind = ABSENT
    amount: Number = ABSENT
    currency: Currency = ABSENT
    date: Day = ABSENT

    def asked(self) -> contributions.Changes:
        given: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        return contributions.Changes(**given)


class ContributionView(BaseModel):
    id: UUID
    version: int
    organization_id: UUID
    partner_kind: PartnerKind
    partner_id: UUID | None
    kind: ResourceKind
    amount: Decimal
    currency: str = CURRENCY
    date: date
    status: RecordStatus

    @classmethod
    def of(cls, state: ContributionState) -> "ContributionView":
        amount = Decimal(state.kopecks).scaleb(-2)
        return cls.model_validate({**msgspec.to_builtins(state), "amount": amount})
