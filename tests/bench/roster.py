"""OneRoster packages: a first import, the same again, and again with one person in a hundred
changed; beside COPY of the people."""

import asyncio
import csv
import io
import zipfile
from pathlib import Path
from typing import Any

from nastavnik_common import db
from nastavnik_common.events import PARTICIPANT
from nastavnik_common.events.registry import ParticipantState
from nastavnik_common.outbox import Outbox
from nastavnik_local.sample import SCALES, outline, people
from nastavnik_local.sample_model import Scale
from nastavnik_local.sample_packages import write_municipality
from nastavnik_local.scenario_api import Api
from nastavnik_registry import tables
from tests.bench.harness import Row, timed
from tests.bench.stage import Stage

CHANGED = 100  # every n-th person
_ENDED = ("completed", "rejected", "failed")


def large(pupils: int) -> Scale:
    """One municipality of that many pupils, and their teachers."""
    return Scale(
        name="bench",
        region="Большой край",
        municipalities=1,
        organizations={"general": max(pupils // 400, 1)},
        pupils=pupils,
        staff=pupils // 12,
        students={},
        representatives=0,
        group=(4, 8),
        pairs=0.1,
        sessions=(1, 2),
        fixes=0.0,
    )


async def run(stage: Stage) -> list[Row]:
    folder = Path(stage.root) / "roster"
    folder.mkdir()
    sample = outline(1, SCALES["sample"])
    sizes = [sum(1 for _ in people(sample, place)) for place in sample.municipalities]
    largest = sample.municipalities[sizes.index(max(sizes))]
    smallest = sample.municipalities[sizes.index(min(sizes))]
    wide = outline(1, large(4_000 if stage.quick else 100_000))
    rows = []
    async with stage.connect() as api:
        await _import(api, write_municipality(sample, smallest, folder), "bench-warm")
        path = write_municipality(sample, largest, folder)
        rows += await _package(stage, api, path, "bench-sample")
        path = write_municipality(wide, wide.municipalities[0], folder)
        rows += await _package(stage, api, path, "bench-large")
    return rows


async def _package(stage: Stage, api: Api, path: Path, source: str) -> list[Row]:
    await stage.settled(api)
    first, counts = await _import(api, path, source)
    total = counts["added"]
    await stage.settled(api)
    again, counts = await _import(api, path, source)
    assert counts["unchanged"] == total
    await asyncio.to_thread(_change, path)
    await stage.settled(api)
    part, counts = await _import(api, path, source)
    assert counts["changed"] == -(-total // CHANGED)
    await stage.settled(api)
    count, *floor = await floors(stage, source, total)
    logged, unlogged, everything = (count / seconds for seconds in floor)
    title = f"roster of {total:,}"
    unit = "people/s"
    return [
        Row(f"{title}: first import", total / first, unit, logged, "COPY with the key"),
        Row(f"{title}: first import", total / first, unit, everything, "COPY of all rows"),
        Row(f"{title}: the same again", total / again, unit, unlogged, "unlogged COPY"),
        Row(f"{title}: 1 % changed", total / part, unit, unlogged, "unlogged COPY"),
    ]


async def _import(api: Api, path: Path, source: str) -> tuple[float, dict[str, int]]:
    """Seconds from sending the package to its end, and what became of the people."""
    with timed() as seconds:
        job = await api.upload(path, {"source": source})
        while job["status"] not in _ENDED:
            await asyncio.sleep(0.02)
            job = (await api.get("registry", f"/imports/{job['id']}")).body
    if job["status"] != "completed":
        raise RuntimeError(f"{path.name} was {job['status']}: {str(job)[:500]}")
    return seconds(), job["changes"]["participants"]


def _change(path: Path) -> None:
    """Give every hundredth person another family name."""
    changed = path.with_suffix(".changed")
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(changed, "w", 8) as after:
        for entry in before.infolist():
            data = before.read(entry)
            after.writestr(entry, _renamed(data) if entry.filename == "users.csv" else data)
    changed.replace(path)


def _renamed(data: bytes) -> bytes:
    header, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
    family = header.index("familyName")
    for row in rows[::CHANGED]:
        row[family] += "-Новая"
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([header, *rows])
    return out.getvalue().encode()


async def floors(stage: Stage, source: str, limit: int) -> tuple[int, float, float, float]:
    """How many people, at most `limit`, and seconds of COPY: they with their key, the same
    unlogged, and with it everything else an import writes (memberships, outside ids, outbox)."""
    connection = await db.connect(stage.databases["registry"])
    ids = [
        row[0]
        for row in await connection.fetch(
            "select entity_id from external_id where source = $1 and kind = 'participant' limit $2",
            source,
            limit,
        )
    ]
    data = {
        name: await connection.fetch(f"select * from {name} where {key} = any($1)", ids)
        for name, key in (
            ("participant", "id"),
            ("membership", "participant_id"),
            ("external_id", "entity_id"),
        )
    }
    rows = {name: [tuple(row) for row in found] for name, found in data.items()}
    rows["outbox"] = [(n, *row, None) for n, row in enumerate(_events(data["participant"]))]
    people_only = {"participant": rows["participant"]}
    logged = await _copy(connection, people_only, "")
    unlogged = await _copy(connection, people_only, "unlogged")
    everything = await _copy(connection, rows, "")
    await connection.close()
    return len(ids), logged, unlogged, everything


def _events(persons: Any) -> list[tuple[Any, ...]]:
    """Outbox rows of the people, without memberships: a little less than an import writes."""
    outbox = Outbox(tables.outbox, "http://localhost:8001/schemas")
    states = (
        ParticipantState(
            id=row["id"],
            version=row["version"],
            birth_year=row["birth_date"] and row["birth_date"].year,
            teaching_since_year=row["teaching_since"] and row["teaching_since"].year,
            memberships=(),
        )
        for row in persons
    )
    return outbox.rows(outbox.event(PARTICIPANT, "registered", state) for state in states)


async def _copy(connection: Any, rows: dict[str, list[Any]], logged: str) -> float:
    for name in rows:
        await connection.execute(
            f"create {logged} table bench_{name} (like {name} including indexes)"
        )
    await connection.execute("alter table if exists bench_outbox alter created_at drop not null")
    with timed() as seconds:
        async with connection.transaction():
            for name, records in rows.items():
                await connection.copy_records_to_table(f"bench_{name}", records=records)
    for name in rows:
        await connection.execute(f"drop table bench_{name}")
    return seconds()
