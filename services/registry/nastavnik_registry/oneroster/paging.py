"""What a request asks of a collection, and the headers of a page."""

from typing import Annotated, Literal, NamedTuple

from fastapi import Query, Request

from nastavnik_registry.oneroster.errors import OneRosterError
from nastavnik_registry.oneroster.fields import Fields

LARGEST = 5000
_TEXT = r"^[^\x00]*$"


class Asked(NamedTuple):
    limit: int
    offset: int
    sort: str | None
    descending: bool
    filter: str | None
    fields: str | None


def asked(
    limit: Annotated[
        int, Query(ge=1, description=f"Objects a page; more than {LARGEST} means {LARGEST}")
    ] = 100,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Objects left out before")] = 0,
    sort: Annotated[str | None, Query(max_length=100, description="A field; else by id")] = None,
    order: Annotated[Literal["asc", "desc"], Query(alias="orderBy")] = "asc",
    filtered: Annotated[
        str | None,
        Query(
            alias="filter",
            max_length=2000,
            pattern=_TEXT,
            description="field OP 'value', OP one of = != > >= < <= ~; two joined by AND or OR",
            examples=["dateLastModified>='2026-10-01T00:00:00.000Z'"],
        ),
    ] = None,
    fields: Annotated[
        str | None, Query(max_length=2000, description="Names separated by commas; else all")
    ] = None,
) -> Asked:
    return Asked(min(limit, LARGEST), offset, sort, order == "desc", filtered, fields)


def selection(text: str | None, fields: Fields | None) -> list[str] | None:
    """The fields asked for; None: all. Raises OneRosterError, 400 invalid_selection_field."""
    if text is None:
        return None
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    if fields is not None and not fields.names.issuperset(names):
        raise OneRosterError(
            400, "invalid_selection_field", "There is a field that the objects do not have."
        )
    return names


def headers(request: Request, page: Asked, total: int) -> dict[str, str]:
    """X-Total-Count, and Link with what there is of next, prev, first, last."""
    last = (total - 1) // page.limit * page.limit if total else 0
    places = {"first": 0, "last": last}
    if page.offset + page.limit < total:
        places["next"] = page.offset + page.limit
    if page.offset > 0:
        places["prev"] = max(0, page.offset - page.limit)
    links = (
        f'<{request.url.include_query_params(limit=page.limit, offset=offset)}>; rel="{rel}"'
        for rel, offset in places.items()
    )
    return {"X-Total-Count": str(total), "Link": ", ".join(links)}
