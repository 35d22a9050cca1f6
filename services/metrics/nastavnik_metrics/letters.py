"""Dead letters, applied after all: one record the way the projector applies a batch."""

from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from nastavnik_common import db
from nastavnik_common.dead_letters_commands import Apply
from nastavnik_common.events.reading import Record, UnreadableError
from nastavnik_metrics import store
from nastavnik_metrics.batch import TOPICS, Batch
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.folding import CELLS_CHANNEL
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.shares import Shares


def create_sessions(settings: MetricsSettings) -> db.Sessions:
    """Sessions whose connections read JSON as text, as the projector's own connection does."""
    engine = create_async_engine(
        settings.database_url,
        poolclass=NullPool,  # operators are few
        json_deserializer=str,
        hide_parameters=True,
        connect_args={"server_settings": {"application_name": "nastavnik"}, "timeout": 10},
    )
    return db.create_sessions(engine)


def applier(definitions: Definitions) -> Apply:
    async def apply(tx: AsyncSession, record: Record) -> bool:
        if record.topic not in TOPICS:
            raise UnreadableError("event.unknown_topic", "the topic is not read by this version")
        batch = Batch({(record.topic, record.partition): record.offset})
        batch.add([record])
        if batch.poison:
            raise UnreadableError(batch.poison[0].code, batch.poison[0].detail)
        (tally,) = batch.tallies.values()
        if tally.skipped:
            raise UnreadableError("event.unknown_type", "the type is not known to this version")
        await _lock(tx, record.topic)
        await store.apply(await db.driver(tx), batch, Shares(definitions.catalogue))
        await tx.execute(text(f"select pg_notify('{CELLS_CHANNEL}', '')"))
        return tally.applied > 0

    return apply


async def _lock(tx: AsyncSession, topic: str) -> None:
    """Positions before facts, as in the projector. No position moves, but the writes of facts rely
    on being alone with an aggregate: a session that is not stored yet has no row to wait at, and
    its attendance would be added twice. All partitions of the topic, in order: the record may have
    gone astray from where the aggregate's other versions are."""
    await tx.execute(
        text("select 1 from stream_position where topic = :topic order by partition for update"),
        {"topic": topic},
    )
