"""POST /sessions:batch, request after request, beside COPY of the rows it stores."""

from collections.abc import Sequence
from typing import Any

import msgspec

from nastavnik_activity import tables
from nastavnik_common import db
from nastavnik_common.events import SESSION
from nastavnik_common.outbox import Outbox
from nastavnik_local.scenario_api import Api
from tests.bench import region
from tests.bench.harness import Row, timed, until
from tests.bench.stage import Stage

_COLUMNS = (*tables.SESSION_COLUMNS, "deleted", "created_as", "organization_id")
_WARM = 1


async def run(stage: Stage) -> list[Row]:
    lines, requests, each = (500, 3, 5) if stage.quick else (5_000, 8, 5)
    async with stage.connect() as api:
        pupils = await region.settle_in(stage, api)
        pairs = await region.form(api, stage, pupils, lines // each)
        bodies = [
            [
                msgspec.json.encode(region.session(pair, pupils.moment(each * request + n)))
                for pair in pairs
                for n in range(each)
            ]
            for request in range(_WARM + requests)
        ]
        for body in bodies[:_WARM]:
            await _send(api, body)
        await stage.settled(api)
        before = await _read(api)
        with timed() as counting:
            with timed() as sending:
                for body in bodies[_WARM:]:
                    await _send(api, body)

            async def counted() -> bool:
                return await _read(api) == before + lines * requests

            await until(counted, pause=0.05)
    total = lines * requests
    floors = await _floors(stage, total, lines)
    sent = total / sending()
    return [
        *(Row("sessions in batches", sent, "lines/s", total / s, n) for n, s in floors),
        Row("the same until counted in the figures", total / counting(), "lines/s"),
    ]


async def _send(api: Api, lines: Sequence[bytes]) -> None:
    for answer in await api.batch("/sessions:batch", lines):
        if answer.status != "created":
            raise RuntimeError(f"/sessions:batch: {answer.status} {answer.code} {answer.detail}")


async def _read(api: Api) -> int:
    """How many records of sessions are in the figures."""
    partitions = (await api.get("metrics", "/progress")).body["partitions"]
    return sum(p["applied"] for p in partitions if p["topic"] == SESSION.topic)


async def _floors(stage: Stage, total: int, size: int) -> list[tuple[str, float]]:
    """Seconds COPY takes for the rows that were stored: bare, with the table's keys and
    constraints, and with the outbox besides. A transaction for each batch, as the service does."""
    connection = await db.connect(stage.databases["activity"])
    names = ", ".join(_COLUMNS)
    stored = await connection.fetch(f"select {names} from session order by id limit $1", total)
    outbox = Outbox(tables.outbox, "http://localhost:8001/schemas")
    states = [tables.session_state(row) for row in map(_Record, stored)]
    events = outbox.rows(
        outbox.event(SESSION, "logged", state, partition_key=state.mentorship_id)
        for state in states
    )
    rows = [tuple(row) for row in stored]
    found = []
    for name, like, besides in (
        ("COPY without index", "", False),
        ("COPY with its indexes", "including all", False),
        ("COPY with its indexes, and outbox", "including all", True),
    ):
        await connection.execute(f"create table bench_session (like session {like})")
        await connection.execute("create table bench_outbox (like outbox including all)")
        if not like:
            await connection.execute("alter table bench_session alter created_at drop not null")
        with timed() as seconds:
            for start in range(0, total, size):
                async with connection.transaction():
                    await connection.copy_records_to_table(
                        "bench_session", records=rows[start : start + size], columns=_COLUMNS
                    )
                    if besides:
                        await connection.copy_records_to_table(
                            "bench_outbox",
                            records=events[start : start + size],
                            columns=Outbox.columns,
                        )
        found.append((name, seconds()))
        await connection.execute("drop table bench_session, bench_outbox")
    await connection.close()
    return found


class _Record:
    """asyncpg's record, with attributes."""

    def __init__(self, record: Any) -> None:
        self._record = record

    def __getattr__(self, name: str) -> Any:
        return self._record[name]
