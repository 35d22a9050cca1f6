"""What the routes work with, and the parameters they share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query

from nastavnik_common import clock
from nastavnik_common.db import Sessions
from nastavnik_common.errors import DomainError, NotFoundError
from nastavnik_common.events.registry import OrganizationKind
from nastavnik_metrics.catalogue.model import Catalogue, Indicator
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.positions import Lags


@dataclass(frozen=True)
class Service:
    sessions: Sessions
    definitions: Definitions
    lags: Lags
    republish: Callable[[], Awaitable[int]]

    @property
    def catalogue(self) -> Catalogue:
        return self.definitions.catalogue

    def indicator(self, code: str, year: int, version: int | None = None) -> Indicator:
        """The definition in force in the year, or the version asked for."""
        versions = self.catalogue.versions(code)
        if not versions:
            raise NotFoundError("indicator", "with that code")
        wanted = (
            [i for i in self.catalogue.current(year) if i.code == code]
            if version is None
            else [i for i in versions if i.version == version]
        )
        if not wanted:
            raise NotFoundError("definition", "of that indicator for that year or version")
        return wanted[0]


YEAR = r"^(19|20|21)\d\d/\d\d$"
SchoolYear = Annotated[
    str | None, Query(pattern=YEAR, description="e.g. 2026/27; absent: the current one")
]
Slice = Annotated[
    str,
    Query(
        alias="form",
        max_length=80,
        description="`all`, the code of a form, another slice such as `technology:project` or"
        " `audience:parents`, or `*` for every slice that counts anything",
    ),
]
Month = Annotated[
    int | None,
    Query(ge=0, le=11, description="as of the end of this school month: 0 September, 11 August"),
]
Kind = Annotated[
    OrganizationKind | None, Query(description="count organisations of this kind alone")
]
Public = Annotated[
    bool,
    Query(
        description="for publication: figures about fewer than 5 people are suppressed, and so"
        " are those from which they could be worked out"
    ),
]
KnownOn = Annotated[
    str | None,
    Query(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$",
        description="as it was known then: the values last announced up to this moment, with its"
        " offset, e.g. 2026-11-01T12:00:00+03:00",
    ),
]


def year_asked(label: str | None) -> int:
    if label is None:
        return clock.school_year(clock.now().date())
    try:
        return clock.parse_label(label)
    except ValueError as error:
        raise DomainError("school_year.malformed", "A school year is written 2026/27.") from error


def slice_asked(text: str) -> str | None:
    """None: every slice."""
    if "\0" in text:
        raise DomainError("request.nul_character", "A string holds the NUL character.")
    return None if text == "*" else text


def moment_asked(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise DomainError("known_on.malformed", "There is no such day or time.") from error
