"""First part of the scenario: units and people by import, their ids, targets, the local form."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from nastavnik_common.clock import label
from nastavnik_local.sample import (
    FEDERATION,
    LOCAL_FORM,
    REGION,
    TERRITORIES,
    Municipality,
    Region,
    ident,
    people,
)
from nastavnik_local.sample_packages import write_municipality, write_territories
from nastavnik_local.scenario_api import Api, Json, ScenarioError
from nastavnik_local.scenario_board import Board

_POLL = 0.25
_RESOLVE = 5_000
_TARGETS = {"coverage.students": 70, "coverage.staff": 70, "coverage.pooled": 70}
_BASIS = "Целевая модель наставничества: не менее 70 % обучающихся и педагогов"


class Units(msgspec.Struct, frozen=True):
    """Ids of the territories, by their outside ids."""

    federation: str
    region: str
    municipalities: dict[str, str]


async def import_territories(region: Region, api: Api, board: Board, folder: Path) -> Units:
    await _import(api, board, write_territories(region, folder), TERRITORIES)
    sids = [place.sid for place in region.municipalities]
    ids = await resolve(api, TERRITORIES, "organization", [FEDERATION, REGION, *sids])
    return Units(ids[FEDERATION], ids[REGION], {sid: ids[sid] for sid in sids})


async def import_municipality(
    region: Region, place: Municipality, units: Units, api: Api, board: Board, folder: Path
) -> None:
    path = await asyncio.to_thread(write_municipality, region, place, folder)
    await _import(api, board, path, place.source, under=units.municipalities[place.sid])


async def _import(api: Api, board: Board, path: Path, source: str, **query: str) -> None:
    """Send a package and see it applied; what changed is added to the board."""
    job = await api.upload(path, {"source": source, **query})
    while job["status"] not in ("completed", "rejected", "failed"):
        board.phase(path.name, job.get("progress") or {})
        await asyncio.sleep(_POLL)
        job = (await api.get("registry", f"/imports/{job['id']}")).body
    if job["status"] != "completed":
        raise ScenarioError(f"{path.name} was {job['status']}: {_why(job)}")
    board.imported(job.get("changes") or {})


def _why(job: Json) -> str:
    report = job.get("report") or {}
    return "; ".join(str(finding) for finding in report.get("findings", ())[:3]) or str(job)[:500]


async def resolve(api: Api, source: str, kind: str, ids: Sequence[str]) -> dict[str, str]:
    """Outside ids → ours; an unknown one is a ScenarioError."""
    found: dict[str, str] = {}
    for start in range(0, len(ids), _RESOLVE):
        body = {"source": source, "kind": kind, "ids": list(ids[start : start + _RESOLVE])}
        answer = (await api.send("registry", "POST", "/external-ids:resolve", body)).body
        if answer["unknown"]:
            raise ScenarioError(f"{source}: no {kind} has the id {answer['unknown'][0]}")
        found |= answer["found"]
    return found


async def people_and_places(region: Region, place: Municipality, api: Api) -> dict[str, str]:
    """The ids of all participants and organisations of a municipality, by outside ids."""
    sids = [person.sid for person in people(region, place)]
    organizations = [org.sid for org in place.organizations]
    persons = await resolve(api, place.source, "participant", sids)
    return persons | await resolve(api, place.source, "organization", organizations)


async def set_targets(region: Region, units: Units, api: Api) -> None:
    """70 % for the region and so for all below it: the one number the target model names."""
    year = label(region.calendar.year)
    for indicator, percent in _TARGETS.items():
        body: Json = {
            "id": str(ident(region, "target", indicator)),
            "indicator": indicator,
            "organization_id": units.region,
            "school_year": year,
            "percent": percent,
            "legal_basis": _BASIS,
        }
        await api.send("registry", "POST", "/targets", body)


async def register_form(api: Api) -> None:
    await api.send("activity", "POST", "/forms", dict(LOCAL_FORM))
