"""Ids of records that outside systems name by keys of their own.

The id follows from source and key, so that the same row twice is the same record and its correction
finds it, with nothing stored. Never for people: an id that can be computed is no pseudonym.
"""

from uuid import UUID, uuid5

SOURCE = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""What names of outside systems look like."""
_NAMESPACE = UUID("6a1f6d1e-94d3-5c0b-8f0e-0b8f1f3c7a52")


def identify(kind: str, source: str, key: str) -> UUID:
    """The key itself where it is a UUID already, ours or theirs."""
    try:
        return UUID(key)
    except ValueError:
        return uuid5(uuid5(_NAMESPACE, f"{kind}\n{source}"), key)
