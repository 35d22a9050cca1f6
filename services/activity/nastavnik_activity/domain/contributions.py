"""Contributions: resources and investment that partners give to an organisation's programme."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from nastavnik_activity.domain import records
from nastavnik_activity.domain.records import Day, given
from nastavnik_common.errors import DomainError
from nastavnik_common.events.activity import ContributionState, PartnerKind, ResourceKind

CURRENCY = "RUB"


class NewContribution(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for. `amount`: what it is worth, in roubles."""

    id: UUID | None = None
    organization_id: UUID
    partner_kind: PartnerKind
    partner_id: UUID | None = None
    kind: ResourceKind
    amount: Decimal
    currency: str = CURRENCY
    date: Day


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """A correction; UNSET leaves a field as it is."""

    partner_kind: PartnerKind | UnsetType = UNSET
    partner_id: UUID | UnsetType | None = UNSET
    kind: ResourceKind | UnsetType = UNSET
    amount: Decimal | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    date: Day | UnsetType = UNSET


def record(new: NewContribution, ident: UUID, now: datetime) -> ContributionState:
    records.check_day("contribution", new.date, now)
    return ContributionState(
        id=ident,
        version=1,
        organization_id=new.organization_id,
        partner_kind=new.partner_kind,
        partner_id=new.partner_id,
        kind=new.kind,
        kopecks=kopecks(new.amount, new.currency),
        date=new.date,
        status="valid",
    )


def correct(state: ContributionState, changes: Changes, now: datetime) -> ContributionState:
    """The corrected state; the same object when nothing changes."""
    records.check_valid("contribution", state.status)
    amount = given(changes.amount, Decimal(state.kopecks).scaleb(-2))
    after = msgspec.structs.replace(
        state,
        partner_kind=given(changes.partner_kind, state.partner_kind),
        partner_id=given(changes.partner_id, state.partner_id),
        kind=given(changes.kind, state.kind),
        kopecks=kopecks(amount, given(changes.currency, CURRENCY)),
        date=given(changes.date, state.date),
    )
    if after.date != state.date:
        records.check_day("contribution", after.date, now)
    return records.newer(state, after)


def kopecks(amount: Decimal, currency: str) -> int:
    if currency != CURRENCY:
        raise DomainError("contribution.currency", "Amounts are in roubles: RUB.")
    found = records.hundredths(amount, "contribution.bad_amount")
    if found < 0:
        raise DomainError("contribution.negative", "A contribution is not less than nothing.")
    return found
