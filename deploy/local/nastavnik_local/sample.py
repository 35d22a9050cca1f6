"""A region from a seed: people, organisations, mentorships and sessions, always the same.

    region = outline(seed=1)                      # who is where, without the people
    write_packages(region, Path("out"))           # OneRoster 1.2, streamed to the disk
    for place in region.municipalities:           # what the region does, in flowing order
        for mentorship in mentorships(region, place):
            for session in sessions(region, mentorship): ...

Everything below a municipality is made on demand, so a region of half a million people never
stands in memory at once.
"""

from uuid import UUID, uuid5

from nastavnik_local.sample_activity import LOCAL_FORM, mentorships
from nastavnik_local.sample_model import SCALES, Calendar, Municipality, Region, Scale
from nastavnik_local.sample_packages import FEDERATION, REGION, TERRITORIES, write_packages
from nastavnik_local.sample_people import people
from nastavnik_local.sample_region import outline
from nastavnik_local.sample_sessions import sessions

__all__ = [
    "FEDERATION",
    "LOCAL_FORM",
    "REGION",
    "SCALES",
    "TERRITORIES",
    "Calendar",
    "Municipality",
    "Region",
    "Scale",
    "ident",
    "mentorships",
    "outline",
    "people",
    "sessions",
    "write_packages",
]

_NAMESPACE = UUID("6f0c9a52-5b0e-4c1e-9d5e-6b7f3f8f2a11")


def ident(region: Region, what: str, key: str) -> UUID:
    """The id of a mentorship, session or target of the sample: the same in every run."""
    return uuid5(
        _NAMESPACE, f"{region.seed}:{region.scale.name}:{region.calendar.year}:{what}:{key}"
    )
