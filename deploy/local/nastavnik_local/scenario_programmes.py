"""Part of the scenario at the registry: programmes, official headcounts, trained mentors."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from nastavnik_common.clock import label
from nastavnik_local.sample import (
    Region,
    headcounts,
    headcounts_of_region,
    ident,
    programmes,
    trainings,
)
from nastavnik_local.sample_records import Headcount, Programme
from nastavnik_local.scenario_api import Api, Json
from nastavnik_local.scenario_board import Board
from nastavnik_local.scenario_work import Work

_IN_FLIGHT = 4
_SOURCE = "Форма № ОО-1"
_CREATED = 201


async def send_programmes(work: Work, api: Api, board: Board) -> None:
    """The programmes of the municipality, then its headcounts and trainings."""
    found = [_programme(work, p) for p in programmes(work.region, work.place, work.mentorships)]
    sent = [_post("/programmes", body, "programmes", api, board) for body in found]
    await several(sent, "programmes", board)
    counts = headcounts(work.region, work.place)
    sent = [
        _post(
            "/reference-counts", _headcount(work.region, c, work.ids[c.unit]), "records", api, board
        )
        for c in counts
    ]
    for training in trainings(work.region, work.place, work.mentorships):
        done: Json = {"role": "mentor", "completed_on": training.on.isoformat()}
        path = f"/participants/{work.ids[training.person]}"
        sent.append(_patch(path, {"trainings": [done]}, api, board))
    await several(sent, "records", board)


async def send_headcounts_of_region(region: Region, unit: str, api: Api, board: Board) -> None:
    sent = [
        _post("/reference-counts", _headcount(region, count, unit), "records", api, board)
        for count in headcounts_of_region(region, "region")
    ]
    await several(sent, "records", board)


async def several(calls: Sequence[Coroutine[Any, Any, None]], stage: str, board: Board) -> None:
    """A few at a time."""
    board.expect(stage, len(calls))
    gate = asyncio.Semaphore(_IN_FLIGHT)

    async def one(call: Coroutine[Any, Any, None]) -> None:
        async with gate:
            await call

    async with asyncio.TaskGroup() as group:
        for call in calls:
            group.create_task(one(call))


async def _post(path: str, body: Json, stage: str, api: Api, board: Board) -> None:
    answer = await api.send("registry", "POST", path, body)
    board.done(stage, created=answer.status == _CREATED)


async def _patch(path: str, body: Json, api: Api, board: Board) -> None:
    await api.send("registry", "PATCH", path, body)
    board.done("records")


def _programme(work: Work, programme: Programme) -> Json:
    documents = [
        {"kind": d.kind, "number": d.number, "date": d.on.isoformat(), "status": d.status}
        for d in programme.documents
    ]
    return {
        "id": work.ident("programme", programme.org),
        "organization_id": work.ids[programme.org],
        "school_year": label(work.region.calendar.year),
        "mechanisms": list(programme.mechanisms),
        "documents": documents,
        "forms": [{"form": form, "mentorships": n} for form, n in programme.forms],
        "plan": [{"month": f"{day:%Y-%m}", "sessions": n} for day, n in programme.plan],
        "curator_id": work.ids[programme.curator] if programme.curator else None,
        "methodical_materials": programme.methodical_materials,
        "material_base": programme.material_base,
        "staffed": programme.staffed,
        "psychological_support": programme.psychological_support,
    }


def _headcount(region: Region, count: Headcount, unit: str) -> Json:
    return {
        "id": str(ident(region, "headcount", f"{count.unit}:{count.population}")),
        "organization_id": unit,
        "school_year": label(region.calendar.year),
        "population": count.population,
        "headcount": count.headcount,
        "source": _SOURCE,
        "as_of": count.as_of.isoformat(),
    }
