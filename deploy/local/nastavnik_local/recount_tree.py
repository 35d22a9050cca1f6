"""The tree: an organisation counts under the units above it as placed on the census date."""

from collections.abc import Iterator
from datetime import date

from nastavnik_local.recount_log import Log, Organization
from nastavnik_local.recount_time import contains


def ancestors(log: Log, unit: str, census: date) -> Iterator[str]:
    """The units above, nearest first."""
    seen = {unit}
    while True:
        organization = log.organizations.get(unit)
        parent = organization and parent_of(organization, census)
        if not parent or parent in seen:
            return
        yield parent
        seen.add(parent)
        unit = parent


def parent_of(organization: Organization, census: date) -> str | None:
    for placement in organization.placements:
        if contains(placement.since, placement.until, census):
            return placement.parent
    return None
