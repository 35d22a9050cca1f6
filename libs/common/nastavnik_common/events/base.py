"""What all states share."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

Version = Annotated[int, Meta(ge=1, description="1, 2, 3 … per aggregate; the highest seen wins")]
SchoolYear = Annotated[
    int, Meta(ge=1990, le=2200, description="First calendar year: 2026 means 2026/27")
]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The whole aggregate after a change."""

    id: UUID
    version: Version
