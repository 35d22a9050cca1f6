"""What an aggregate looks like from outside: its event and its body."""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from nastavnik_common import clock
from nastavnik_common.events.registry import (
    Membership,
    OrganizationState,
    ParticipantState,
    Placement,
    ReferenceCountState,
    TargetState,
    Training,
)
from nastavnik_registry import bodies
from nastavnik_registry.aggregates.people import Individual
from nastavnik_registry.aggregates.refs import Refs
from nastavnik_registry.aggregates.units import Unit
from nastavnik_registry.tables import ConsentRow, Person, ReferenceCountRow, TargetRow

Standing = tuple[tuple[str, ...], tuple[str, ...]]
"""Purposes consented to, and those of which the consent was withdrawn."""
NO_CONSENTS: Standing = ((), ())


def organization_state(row: Any, placements: tuple[Placement, ...]) -> OrganizationState:
    return OrganizationState(
        id=row.id,
        version=row.version,
        level=row.level,
        kind=row.kind,
        name=row.name,
        oktmo=row.oktmo,
        placements=placements,
    )


def participant_state(
    ident: UUID,
    version: int,
    birth_date: date | None,
    teaching_since: date | None,
    memberships: tuple[Membership, ...],
    trainings: tuple[Training, ...],
    consents: Standing = NO_CONSENTS,
) -> ParticipantState:
    """Pseudonymous: years instead of dates, and nothing else of the person."""
    return ParticipantState(
        id=ident,
        version=version,
        birth_year=birth_date.year if birth_date else None,
        teaching_since_year=teaching_since.year if teaching_since else None,
        memberships=memberships,
        trainings=trainings,
        consents=consents[0],
        withdrawn=consents[1],
    )


def person_state(person: Individual) -> ParticipantState:
    row: Person = person.row
    state = participant_state(
        row.id,
        row.version,
        row.birth_date,
        row.teaching_since,
        person.memberships,
        person.trainings,
        (tuple(row.consents or ()), tuple(row.withdrawn or ())),
    )
    if row.erased_at is None:
        return state
    years = {"birth_year": row.birth_year, "teaching_since_year": row.teaching_since_year}
    return msgspec.structs.replace(state, **years)


def target_state(row: Any) -> TargetState:
    return TargetState(
        id=row.id,
        version=row.version,
        indicator=row.indicator,
        organization_id=row.organization_id,
        school_year=row.school_year,
        basis_points=row.basis_points,
        legal_basis=row.legal_basis,
        verified=row.verified,
    )


def _refs_body(refs: Refs) -> list[bodies.ExternalRef]:
    return [bodies.ExternalRef.model_construct(source=s, id=x) for s, x in refs]


def organization_body(unit: Unit) -> bodies.Organization:
    return bodies.Organization.model_construct(
        **unit.row.model_dump(exclude={"deleted", "created_at", "changed_at"}),
        placements=[
            bodies.PlacementBody(parent_id=p.parent_id, since=p.since, until=p.until)
            for p in unit.placements
        ],
        external_ids=_refs_body(unit.external_ids),
    )


def participant_body(person: Individual) -> bodies.Participant:
    return bodies.Participant.model_construct(
        **person.row.model_dump(
            exclude={"deleted", "created_at", "changed_at", "birth_year", "teaching_since_year"}
        ),
        memberships=[
            bodies.MembershipBody(
                organization_id=m.organization_id,
                kind=m.kind,
                primary=m.primary,
                since=m.since,
                until=m.until,
            )
            for m in person.memberships
        ],
        trainings=[
            bodies.TrainingBody(role=t.role, completed_on=t.completed_on) for t in person.trainings
        ],
        external_ids=_refs_body(person.external_ids),
    )


def target_body(row: TargetRow) -> bodies.Target:
    return bodies.Target(
        id=row.id,
        version=row.version,
        indicator=row.indicator,
        organization_id=row.organization_id,
        school_year=clock.label(row.school_year),
        percent=row.basis_points / 100,
        legal_basis=row.legal_basis,
        verified=row.verified,
    )


def reference_count_state(row: Any) -> ReferenceCountState:
    return ReferenceCountState(
        id=row.id,
        version=row.version,
        organization_id=row.organization_id,
        school_year=row.school_year,
        population=row.population,
        headcount=row.headcount,
        source=row.source,
        as_of=row.as_of,
    )


def reference_count_body(row: ReferenceCountRow) -> bodies.ReferenceCount:
    return bodies.ReferenceCount.model_construct(
        **row.model_dump(exclude={"deleted", "created_at", "changed_at", "school_year"}),
        school_year=clock.label(row.school_year),
    )


def consent_body(row: ConsentRow) -> bodies.Consent:
    kept = row.model_dump(
        exclude={"version", "text_version", "deleted", "created_at", "changed_at"}
    )
    return bodies.Consent.model_construct(
        **kept, record_version=row.version, version=row.text_version
    )
