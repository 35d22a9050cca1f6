"""A region from a seed: people, organisations and all they do, always the same.

    region = outline(seed=1)                      # who is where, without the people
    write_packages(region, Path("out"))           # OneRoster 1.2, streamed to the disk
    for place in region.municipalities:           # what the region does, in flowing order
        work = list(mentorships(region, place))
        for mentorship in work:
            for session in sessions(region, mentorship): ...
        for survey in surveys(region, place, work): ...   # programmes, assessments … alike

Everything below a municipality is made on demand, so a region of half a million people never
stands in memory at once.
"""

from uuid import UUID, uuid5

from nastavnik_local.sample_activity import LOCAL_FORM, mentorships
from nastavnik_local.sample_assessments import assessments
from nastavnik_local.sample_model import SCALES, Calendar, Municipality, Region, Scale
from nastavnik_local.sample_packages import FEDERATION, REGION, TERRITORIES, write_packages
from nastavnik_local.sample_people import people
from nastavnik_local.sample_programmes import (
    headcounts,
    headcounts_of_region,
    programmes,
    trainings,
)
from nastavnik_local.sample_region import outline
from nastavnik_local.sample_resources import contributions, gatherings
from nastavnik_local.sample_sessions import sessions
from nastavnik_local.sample_surveys import surveys

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
    "assessments",
    "contributions",
    "gatherings",
    "headcounts",
    "headcounts_of_region",
    "ident",
    "mentorships",
    "outline",
    "people",
    "programmes",
    "sessions",
    "surveys",
    "trainings",
    "write_packages",
]

_NAMESPACE = UUID("6f0c9a52-5b0e-4c1e-9d5e-6b7f3f8f2a11")


def ident(region: Region, what: str, key: str) -> UUID:
    """The id of a mentorship, session or another record of the sample: the same in every run."""
    return uuid5(
        _NAMESPACE, f"{region.seed}:{region.scale.name}:{region.calendar.year}:{what}:{key}"
    )
