"""The rostering endpoints of OneRoster 1.2, all of them GET.

Those about classes, courses, enrollments and academic sessions answer as for a provider that has
none: empty collections, and no such object.
"""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Select, false, select
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_registry.api.service import Registry
from nastavnik_registry.oneroster import content, filters, models, paging, shapes
from nastavnik_registry.oneroster.content import Collection
from nastavnik_registry.oneroster.errors import OneRosterError, OneRosterRoute, unknown
from nastavnik_registry.oneroster.fields import condition
from nastavnik_registry.oneroster.paging import Asked
from nastavnik_registry.tables import OrgUnit, Person

PREFIX = "/ims/oneroster/rostering/v1p2"
router = APIRouter(
    prefix=PREFIX, tags=["OneRoster"], route_class=OneRosterRoute, responses=models.ERRORS
)
Page = Annotated[Asked, Depends(paging.asked)]
SourcedId = Annotated[str, Path(max_length=255)]
Fields = Annotated[str | None, Query(max_length=2000, description="Names separated by commas")]
Base = Callable[[], Select[Any]]


async def _list(
    request: Request, registry: Registry, collection: Collection, query: Select[Any], page: Asked
) -> Response:
    names = paging.selection(page.fields, collection.fields)
    query = _narrowed(query, collection, page)
    async with registry.sessions() as tx:
        total = await content.count(tx, query)
        query = query.offset(page.offset).limit(page.limit)
        found = await content.rows(tx, query)
        bodies = await content.bodies(tx, collection, found, _hrefs(request))
    headers = paging.headers(request, page, total)
    return JSONResponse({collection.plural: shapes.selected(bodies, names)}, headers=headers)


def _narrowed(query: Select[Any], collection: Collection, page: Asked) -> Select[Any]:
    """Filtered, and in one order for one content: ties stand by id."""
    given = filters.parse(page.filter) if page.filter is not None else None
    if collection.fields is None:
        return query.where(false())
    if given is not None:
        query = query.where(condition(collection.fields, given))
    if page.sort is not None:
        column = collection.fields.columns.get(page.sort)
        if column is None:
            raise OneRosterError(422, "invaliddata", "There is no such field to sort by.")
        by = column.expression
        query = query.order_by(by.desc().nulls_last() if page.descending else by.nulls_last())
    return query.order_by(collection.model.id)


def _hrefs(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}{PREFIX}"


def _query(collection: Collection, base: Base | None) -> Select[Any]:
    return base() if base else select(collection.model or OrgUnit)


async def _find(tx: AsyncSession, query: Select[Any], model: Any, sourced_id: str) -> Any:
    """Raises OneRosterError, 404 unknownobject."""
    try:
        found = await content.rows(tx, query.where(model.id == UUID(sourced_id)))
    except ValueError:
        raise unknown() from None
    if not found:
        raise unknown()
    return found[0]


def _collection(path: str, collection: Collection, base: Base | None = None) -> None:
    """`/path` and `/path/{sourcedId}`."""

    async def many(request: Request, registry: Registry, page: Page) -> Response:
        return await _list(request, registry, collection, _query(collection, base), page)

    async def one(
        request: Request, registry: Registry, sourced_id: SourcedId, fields: Fields = None
    ) -> Response:
        names = paging.selection(fields, collection.fields)
        if collection.model is None:
            raise unknown()
        async with registry.sessions() as tx:
            row = await _find(tx, _query(collection, base), collection.model, sourced_id)
            bodies = await content.bodies(tx, collection, [row], _hrefs(request))
        return JSONResponse({collection.single: shapes.selected(bodies, names)[0]})

    _add(f"/{path}", many, models.collection(collection.plural))
    _add(f"/{path}/{{sourced_id}}", one, models.single(collection.single))


def _people_of_school(path: str, kinds: tuple[str, ...]) -> None:
    async def many(
        request: Request, registry: Registry, sourced_id: SourcedId, page: Page
    ) -> Response:
        async with registry.sessions() as tx:
            school = await _find(tx, content.schools(), OrgUnit, sourced_id)
        query = content.members(kinds, school.id)
        return await _list(request, registry, content.USERS, query, page)

    _add(f"/schools/{{sourced_id}}/{path}", many, models.collection("users"))


def _none_of(parent: str, path: str, collection: Collection, model: Any, base: Base) -> None:
    """What a school or a person could have, and has not here."""

    async def many(
        request: Request, registry: Registry, sourced_id: SourcedId, page: Page
    ) -> Response:
        async with registry.sessions() as tx:
            await _find(tx, base(), model, sourced_id)
        return await _list(request, registry, collection, _query(collection, None), page)

    _add(f"/{parent}/{{sourced_id}}/{path}", many, models.collection(collection.plural))


def _of_nothing(path: str, plural: str) -> None:
    """What belongs to a class, a course or a term: always 404, and so not described."""

    async def many(sourced_id: SourcedId, page: Page) -> Response:
        raise unknown()

    async def within(sourced_id: SourcedId, class_id: SourcedId, page: Page) -> Response:
        raise unknown()

    nested = "{class_id}" in path
    endpoint: Callable[..., Any] = within if nested else many
    _add(f"/{path}", endpoint, models.collection(plural), described=False)


def _add(
    path: str,
    endpoint: Callable[..., Any],
    model: dict[int | str, dict[str, Any]],
    described: bool = True,
) -> None:
    words = [word for word in path.split("/") if word]
    nouns = [word for word in words if not word.startswith("{")]
    ending = "_by_id" if path.endswith("}") else ""
    summary = "Get " + " of ".join(reversed(nouns))
    router.add_api_route(
        path,
        endpoint,
        name=f"{summary} by id" if path.endswith("}") else summary,
        operation_id=f"oneroster_{'_'.join(nouns)}{ending}",
        responses=model,
        response_class=JSONResponse,
        include_in_schema=described,
    )


def _students() -> Select[Any]:
    return content.members(content.STUDENTS)


def _teachers() -> Select[Any]:
    return content.members(content.TEACHERS)


def _everyone() -> Select[Any]:
    return select(Person)


_collection("orgs", content.ORGS)
_collection("schools", content.ORGS, content.schools)
_collection("users", content.USERS)
_collection("students", content.USERS, _students)
_collection("teachers", content.USERS, _teachers)
_collection("demographics", content.DEMOGRAPHICS, content.with_birth_date)
for _path in ("academicSessions", "terms", "gradingPeriods"):
    _collection(_path, content.ACADEMIC_SESSIONS)
_collection("classes", content.CLASSES)
_collection("courses", content.COURSES)
_collection("enrollments", content.ENROLLMENTS)
_people_of_school("students", content.STUDENTS)
_people_of_school("teachers", content.TEACHERS)
for _path, _held in (
    ("classes", content.CLASSES),
    ("courses", content.COURSES),
    ("enrollments", content.ENROLLMENTS),
    ("terms", content.ACADEMIC_SESSIONS),
):
    _none_of("schools", _path, _held, OrgUnit, content.schools)
_none_of("users", "classes", content.CLASSES, Person, _everyone)
_none_of("students", "classes", content.CLASSES, Person, _students)
_none_of("teachers", "classes", content.CLASSES, Person, _teachers)
for _path, _plural in (
    ("classes/{sourced_id}/students", "users"),
    ("classes/{sourced_id}/teachers", "users"),
    ("courses/{sourced_id}/classes", "classes"),
    ("terms/{sourced_id}/classes", "classes"),
    ("terms/{sourced_id}/gradingPeriods", "academicSessions"),
    ("schools/{sourced_id}/classes/{class_id}/enrollments", "enrollments"),
    ("schools/{sourced_id}/classes/{class_id}/students", "users"),
    ("schools/{sourced_id}/classes/{class_id}/teachers", "users"),
):
    _of_nothing(_path, _plural)
