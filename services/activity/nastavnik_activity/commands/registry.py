"""What the replica of the registry says of ids that requests bring."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_activity.commands import base
from nastavnik_activity.tables import MENTORING, ReplicaOrganization, ReplicaParticipant
from nastavnik_common.auth_scope import reach
from nastavnik_common.errors import DomainError


async def levels(tx: AsyncSession, idents: Iterable[UUID]) -> dict[UUID, str | None]:
    """Of the organisations that are known and not deleted."""
    organization = ReplicaOrganization
    rows = await tx.execute(
        select(col(organization.id), col(organization.level)).where(
            base.among(col(organization.id), idents), col(organization.deleted).is_(False)
        )
    )
    return dict(list(rows.tuples()))


async def participants(tx: AsyncSession, idents: Iterable[UUID]) -> set[UUID]:
    """Those of the ids that are known and not deleted."""
    rows = await tx.scalars(
        select(col(ReplicaParticipant.id)).where(
            base.among(col(ReplicaParticipant.id), idents),
            col(ReplicaParticipant.deleted).is_(False),
        )
    )
    return set(rows)


async def check_consents(tx: AsyncSession, idents: Iterable[UUID], *, required: bool) -> None:
    """422 ``mentorship.consent_missing`` if one is among those `without_consent`."""
    if await without_consent(tx, idents, required=required):
        raise consent_missing()


async def without_consent(tx: AsyncSession, idents: Iterable[UUID], *, required: bool) -> set[UUID]:
    """Those who withdrew their consent to mentoring or were erased; with `required` also those
    who never gave one."""
    person = ReplicaParticipant
    missing = col(person.withdrawn).contains([MENTORING])
    if required:
        missing = ~col(person.consents).contains([MENTORING])
    query = select(col(person.id)).where(base.among(col(person.id), idents), missing)
    return set(await tx.scalars(query))


def consent_missing() -> DomainError:
    return DomainError(
        "mentorship.consent_missing",
        "A member has not consented to mentoring, or has withdrawn the consent.",
    )


def check_organization(kind: str, ident: UUID, known: Mapping[UUID, str | None]) -> None:
    """422 unless the id is that of an organisation, and of no territory; 403 out of scope."""
    reach().demand(ident)
    if ident not in known:
        raise DomainError("organization.unknown", "No such organisation is known here.")
    if known[ident] != "organization":
        raise DomainError(
            f"{kind}.not_an_organization", "A territory has none of these; name the organisation."
        )


def unknown_participant() -> DomainError:
    return DomainError("participant.unknown", "A participant is not known here.")
