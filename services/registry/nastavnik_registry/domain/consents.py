"""Rules of consents: who may sign, and when."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from nastavnik_common.errors import ConflictError, DomainError
from nastavnik_registry.domain.people import OLDEST

Signer = Literal["self", "legal_representative"]
_TEXT = r"^[^\x00]*\S[^\x00]*\Z"
FULL_AGE = 18
"""Years from which a person's own signature counts here; a stricter rule than the law's 14."""


class NewConsent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked to be recorded."""

    id: UUID | None = None
    participant_id: UUID
    purpose: Annotated[str, Meta(max_length=63)]
    version: Annotated[str, Meta(max_length=63, pattern=_TEXT)]
    signed_on: date
    signed_by: Signer
    representative_name: Annotated[str, Meta(max_length=255, pattern=_TEXT)] | None = None
    withdrawn_on: date | None = None


def age(birth_date: date, day: date) -> int:
    """Full years on the day."""
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return day.year - birth_date.year - (not had_birthday)


def check_signature(
    signed_by: Signer,
    representative: str | None,
    birth_date: date | None,
    signed_on: date,
    today: date,
) -> None:
    """A minor's consent is signed by the legal representative. Of a person whose birth date is
    unknown, either signature is taken."""
    if signed_on > today:
        raise DomainError("consent.in_future", "A consent cannot be signed in the future.")
    if signed_on < (birth_date or OLDEST):
        raise DomainError("consent.signed_on", "The consent was signed at no sane date.")
    if signed_by == "legal_representative":
        return
    if representative is not None:
        raise DomainError(
            "consent.representative_unexpected", "The person signed: no representative is named."
        )
    if birth_date is not None and age(birth_date, signed_on) < FULL_AGE:
        raise DomainError(
            "consent.representative_required",
            f"Below {FULL_AGE} years the legal representative signs.",
        )


def check_withdrawal(signed_on: date, on: date, today: date) -> None:
    if on > today:
        raise DomainError("consent.in_future", "A consent cannot be withdrawn in the future.")
    if on < signed_on:
        raise DomainError(
            "consent.withdrawn_before_signed", "A consent is withdrawn after it was signed."
        )


def check_open(withdrawn_on: date | None) -> None:
    if withdrawn_on is not None:
        raise ConflictError("consent.withdrawn", "The consent has been withdrawn on another day.")
