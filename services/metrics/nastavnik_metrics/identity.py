"""The id of an indicator value follows from what it is about."""

from uuid import UUID, uuid5

_NAMESPACE = UUID("6f0f6c1e-7f0a-5c3b-9b43-4a3a5b0d8e11")


def value_id(indicator: str, unit: UUID, school_year: int, form: str) -> UUID:
    return uuid5(_NAMESPACE, f"{indicator}/{unit}/{school_year}/{form}")
