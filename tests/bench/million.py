"""A region in one package: a million people in the process that runs imports, without services."""

import asyncio
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from nastavnik_common import db
from nastavnik_registry.imports.jobs import package_path
from nastavnik_registry.imports.schema import COMMON, TABLES
from nastavnik_registry.imports.worker import Worker
from nastavnik_registry.settings import RegistrySettings
from nastavnik_registry.tables import ImportJob
from tests.bench.harness import Row, timed
from tests.bench.memory import peak_of
from tests.bench.roster import CHANGED, floors
from tests.bench.stage import Stage

_PEOPLE, _FEW, _SCHOOL = 1_000_000, 20_000, 400
_SOURCE = "bench-million"
_FLOOR = 200_000  # people whose rows are copied for the floors


async def run(stage: Stage) -> list[Row]:
    total = _FEW if stage.quick else _PEOPLE
    settings = RegistrySettings(
        **{**stage.settings("registry").model_dump(), "import_dir": Path(stage.root) / "imports"}
    )
    first, second = Path(stage.root) / "first.zip", Path(stage.root) / "second.zip"
    await asyncio.to_thread(_write, first, total, "")
    await asyncio.to_thread(_write, second, total, "-Новая")
    engine = db.create_engine(settings)
    worker = await Worker.start(settings)
    try:
        sessions = db.create_sessions(engine)
        await worker.run(uuid4())  # of no import: until it is ready
        seconds = [
            await _import(worker, settings, sessions, path) for path in (first, first, second)
        ]
        memory = peak_of(worker.pid)
    finally:
        await worker.stop()
        await engine.dispose()
    count, logged, unlogged, _ = await floors(stage, _SOURCE, _FLOOR)
    rates = [total / one for one in seconds]
    title, unit = f"roster of {total:,}", "people/s"
    return [
        Row(f"{title}: first import", rates[0], unit, count / logged, "COPY with the key"),
        Row(f"{title}: the same again", rates[1], unit, count / unlogged, "unlogged COPY"),
        Row(f"{title}: 1 % changed", rates[2], unit, count / unlogged, "unlogged COPY"),
        Row(f"{title}: most memory of the process", memory, "MiB"),
    ]


async def _import(
    worker: Worker, settings: RegistrySettings, sessions: db.Sessions, path: Path
) -> float:
    """Seconds from the queued package to the committed end."""
    ident = uuid4()
    place = package_path(settings, ident)
    place.parent.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(shutil.copyfile, path, place)
    job = ImportJob(
        id=ident,
        source=_SOURCE,
        size_bytes=path.stat().st_size,
        status="queued",
        phase="queued",
        done=0,
        total=0,
    )
    async with sessions.begin() as tx:
        tx.add(job)
    with timed() as seconds:
        assert await worker.run(ident)
    async with sessions() as tx:
        ended = await tx.get_one(ImportJob, ident)
    if ended.status != "completed":
        raise RuntimeError(f"the import was {ended.status}")
    return seconds()


def _write(path: Path, total: int, suffix: str) -> None:
    """One municipality; every hundredth person's family name ends in `suffix`."""
    tables = {"orgs": _schools(total), "users": _users(total, suffix)}
    tables |= {"roles": _roles(total), "demographics": _births(total)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        files = (f"file.{name},{'bulk' if name in tables else 'absent'}" for name in TABLES)
        versions = ("propertyName,value", "manifest.version,1.0", "oneroster.version,1.2")
        archive.writestr("manifest.csv", "\n".join((*versions, *files)))
        for name, rows in tables.items():
            with archive.open(f"{name}.csv", "w", force_zip64=True) as entry:
                entry.write(",".join(_header(name)).encode() + b"\r\n")
                for row in rows:
                    entry.write(row.encode())


def _header(table: str) -> tuple[str, ...]:
    return (*COMMON, *(column.name for column in TABLES[table].columns))


def _template(table: str, **values: str) -> str:
    """A row of that table, for `format`."""
    return ",".join(values.get(name, "") for name in _header(table)) + "\r\n"


def _schools(total: int) -> Iterator[str]:
    yield _template("orgs", sourcedId="m", name="Большой район", type="local")
    row = _template("orgs", sourcedId="s{0}", name="Школа {0}", type="school", parentSourcedId="m")
    yield from (row.format(n) for n in range(total // _SCHOOL + 1))


def _users(total: int, suffix: str) -> Iterator[str]:
    row = _template(
        "users",
        sourcedId="person-{0:08}",
        enabledUser="true",
        username="person-{0:08}",
        givenName="Имя{1}",
        familyName="Фамилия{2}{3}",
        middleName="Отчество{1}",
        email="person-{0:08}@school.test",
        primaryOrgSourcedId="s{4}",
    )
    for n in range(total):
        yield row.format(n, n % 97, n % 9973, "" if n % CHANGED else suffix, n // _SCHOOL)


def _roles(total: int) -> Iterator[str]:
    row = _template(
        "roles",
        sourcedId="role-{0:08}",
        userSourcedId="person-{0:08}",
        roleType="primary",
        role="{1}",
        beginDate="2025-09-01",
        orgSourcedId="s{2}",
    )
    for n in range(total):
        yield row.format(n, "student" if n % 12 else "teacher", n // _SCHOOL)


def _births(total: int) -> Iterator[str]:
    row = _template("demographics", sourcedId="person-{0:08}", birthDate="201{1}-0{2}-1{1}")
    yield from (row.format(n, n % 10, n % 9 + 1) for n in range(total))
