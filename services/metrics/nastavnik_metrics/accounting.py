"""The accounts of the projector: what was read against what became of it, partition by partition.

What can be proven of a compacted log, and what cannot, is in docs/decisions/0013.
"""

import asyncio
import time
from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from nastavnik_common import clock, db, logs
from nastavnik_common.errors import ConflictError
from nastavnik_metrics import accounting_log, rebuild_log
from nastavnik_metrics.accounting_log import Recount
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.telemetry import AccountingMetrics

log = logs.logger(__name__)
OUTCOMES = ("applied", "superseded", "parked", "skipped")
SOON_SECONDS = 600


class Balance(NamedTuple):
    """One partition. `absent`: offsets passed without a record, as compaction and a broker's own
    marks leave; negative when the log was read more than once."""

    topic: str
    partition: int
    start: int
    end: int
    next_offset: int
    pending: int
    applied: int
    superseded: int
    parked: int
    skipped: int
    accounted: int
    absent: int
    letters: int
    recounted: int | None
    gap: int

    @property
    def closes(self) -> bool:
        return self.gap == 0


def balance(row: Any, extent: tuple[int, int], letters: int, recount: Recount | None) -> Balance:
    """`gap`: records proven not to be accounted for, by whichever of four proofs."""
    start, end = extent
    accounted = accounting_log.accounts(row)
    gap = max(row["next_offset"] - end, 0) + abs(row["parked"] - letters)
    if recount is not None:
        gap += max(recount.present - recount.accounted, recount.missing, 0)
    return Balance(
        row["topic"],
        row["partition"],
        start,
        end,
        row["next_offset"],
        max(end - max(row["next_offset"], start), 0),
        row["applied"],
        row["superseded"],
        row["parked"],
        row["skipped"],
        accounted,
        row["next_offset"] - accounted,
        letters,
        recount.present if recount else None,
        gap,
    )


class Ledger:
    """Looks at the accounts now and then, and rarely at the log itself."""

    def __init__(self, settings: MetricsSettings, metrics: AccountingMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._recounting = asyncio.Lock()
        self._recounts: dict[TopicPartition, Recount] = {}
        self.recounted_at: datetime | None = None

    async def run(self) -> None:
        """Until cancelled."""
        every = self._settings.recount_seconds
        due = time.monotonic() + min(SOON_SECONDS, every)
        while True:
            await asyncio.sleep(self._settings.accounting_seconds)
            try:
                if time.monotonic() >= due:
                    due = time.monotonic() + every
                    await self.recount()
                await self.balances()
            except Exception as error:
                log.warning("accounting", error=f"{type(error).__name__}: {error}")

    async def recount(self) -> None:
        """Read the whole log, and look for every record of it in what is stored."""
        if self._recounting.locked():
            raise ConflictError("accounting.running", "A recount is running.")
        async with self._recounting:
            connection = await self._connect()
            try:
                self._recounts = await accounting_log.recount(self._settings, connection)
            finally:
                await connection.close(timeout=5)
            self.recounted_at = clock.now()
            self._metrics.recounted.set(self.recounted_at.timestamp())

    async def balances(self) -> list[Balance]:
        connection = await self._connect()
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                rows = await rebuild_log.stored_positions(connection)
                letters = await _letters(connection)
        finally:
            await connection.close(timeout=5)
        wanted = [TopicPartition(row["topic"], row["partition"]) for row in rows]
        extents = await rebuild_log.extents(self._settings, wanted)
        found = [
            balance(row, extents[at], letters.get(at, 0), self._recounts.get(at))
            for at, row in zip(wanted, rows, strict=True)
        ]
        self._measure(found)
        return found

    async def _connect(self) -> Any:
        settings = self._settings
        return await db.connect(settings.database_url, settings.scan_timeout_seconds)

    def _measure(self, found: list[Balance]) -> None:
        gaps: Counter[str] = Counter()
        accounted: Counter[tuple[str, str]] = Counter()
        for one in found:
            gaps[one.topic] += one.gap
            for outcome in OUTCOMES:
                accounted[one.topic, outcome] += getattr(one, outcome)
        for topic, gap in gaps.items():
            self._metrics.gap.labels(topic).set(gap)
            if gap:
                log.error("records not accounted for", topic=topic, gap=gap)
        for labels, n in accounted.items():
            self._metrics.accounted.labels(*labels).set(n)


async def _letters(connection: Any) -> dict[TopicPartition, int]:
    rows = await connection.fetch(
        "select topic, partition, count(*) as n from dead_letter group by topic, partition"
    )
    return {TopicPartition(row["topic"], row["partition"]): row["n"] for row in rows}
