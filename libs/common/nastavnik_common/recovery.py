"""After a database was restored that is older than the log: what its service published since.

Consumers keep the highest version they have seen. A service that goes on counting from an older one
would be ignored until it has caught up, without a word. So before it starts, whatever the log knows
newer is lifted above the log's version; a republish then makes the restored state the newest.

What the log knows and the database does not stays in the figures, and is named: to be sent again
with the same ids, after which another recovery lifts it too; or to be forgotten, by a tombstone,
after which its id is never used again. A deletion that the database does not know is named as well:
it must be repeated, for nothing brings back what was deleted.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db, kafka
from nastavnik_common.events import KINDS, Kind
from nastavnik_common.events.envelope import Envelope, EnvelopeError, parse
from nastavnik_common.outbox import Outbox
from nastavnik_common.settings import Settings

POLL_MS = 500
Log = dict[UUID, tuple[Envelope, bool]]
"""The newest of each aggregate, and whether it is a tombstone."""


class Found(NamedTuple):
    """Of one kind: how many were lifted; ids that only the log has; ids that it has deleted."""

    lifted: int
    unknown: list[UUID]
    deleted: list[UUID]


def kinds_of(service: str) -> list[Kind[Any]]:
    return [kind for kind in KINDS if kind.source == service]


async def read_log(settings: Settings, kind: Kind[Any]) -> Log:
    """The whole topic, past nobody's position."""
    newest: Log = {}
    partitions = [TopicPartition(kind.topic, n) for n in range(settings.kafka_partitions)]
    consumer = kafka.create_consumer(settings, None)
    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(at) < end for at, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                _keep(newest, records)
    finally:
        await kafka.stop(consumer)
    return newest


def _keep(newest: Log, records: Iterable[Any]) -> None:
    for record in records:
        try:
            envelope = parse(record.headers)
        except EnvelopeError:
            continue  # not of ours: consumers put it aside
        known = newest.get(envelope.subject)
        if known is None or known[0].version < envelope.version:
            newest[envelope.subject] = (envelope, record.value is None)


async def lift(
    tx: AsyncSession, outbox: Outbox, kind: Kind[Any], table: str, log: Log, *, forget: bool
) -> Found:
    """Raise the versions of the table's rows above the log's; with `forget` put tombstones of what
    the table does not have into the outbox."""
    rows = await tx.execute(text(f"select id, version, deleted from {table}"))  # noqa: S608 -- ours
    known = {row.id: row for row in rows}
    behind = {i: e for i, (e, _) in log.items() if i in known and known[i].version < e.version}
    deleted = [i for i in behind if log[i][1] and not known[i].deleted]
    unknown = [i for i, (_, gone) in log.items() if i not in known and not gone]
    lifted = [(i, e.version + 1) for i, e in behind.items() if i not in set(deleted)]
    raw = await db.driver(tx)
    await raw.execute(
        f"""update {table} as t set version = n.version
            from unnest($1::uuid[], $2::bigint[]) as n(id, version) where t.id = n.id""",  # noqa: S608
        *db.columns(lifted, 2),
    )
    if forget:
        for ident in unknown:
            last = log[ident][0]
            at = UUID(last.partition_key)
            await outbox.add(tx, outbox.tombstone(kind, ident, last.version + 1, at))
    return Found(len(lifted), unknown, deleted)


async def recover(
    settings: Settings, outbox: Outbox, service: str, tables: Mapping[str, str], *, forget: bool
) -> dict[str, Found]:
    """Of every kind of the service, by name. `tables`: the names of those not named as the kind."""
    engine = db.create_engine(settings)
    try:
        found = {}
        for kind in kinds_of(service):
            log = await read_log(settings, kind)
            async with db.create_sessions(engine).begin() as tx:
                table = tables.get(kind.name, kind.name)
                found[kind.name] = await lift(tx, outbox, kind, table, log, forget=forget)
        return found
    finally:
        await engine.dispose()


def told(found: Mapping[str, Found]) -> str:
    """For the operator: ids are no personal data."""
    lines = []
    for name, (lifted, unknown, deleted) in found.items():
        lines.append(f"{name}: {lifted} lifted, {len(unknown)} only in the log")
        lines += [f"  only in the log: {ident}" for ident in unknown]
        lines += [f"  deleted since, delete again: {ident}" for ident in deleted]
    return "\n".join(lines)
