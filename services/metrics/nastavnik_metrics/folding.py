"""Batches folded in one transaction with their positions: one after another while catching up."""

import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiokafka import TopicPartition

from nastavnik_metrics import positions, store
from nastavnik_metrics.batch import Batch, Read, Tally
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.parking import park
from nastavnik_metrics.patterns import Share
from nastavnik_metrics.refold import settle
from nastavnik_metrics.shares import Shares
from nastavnik_metrics.telemetry import firsts

CELLS_CHANNEL = "nastavnik_cells"
MOST = 10
"""Batches in one transaction."""


class Folded:
    """What became of the records of one transaction."""

    def __init__(self) -> None:
        self.records = self.batches = self.cells = self.poison = 0
        self.counts: list[tuple[dict[tuple[str, int], Tally], dict[str, datetime]]] = []
        """Of each batch: tallies, and when the first change of every topic happened."""
        self.began = time.time()
        self.correlations: set[str] = set()
        self.traces: set[str] = set()
        self.moved: Counter[Share] = Counter()
        self.changed = False


class Folding:
    """Goes with one connection, and is given up with it when anything fails."""

    def __init__(self, connection: Any, catalogue: Catalogue) -> None:
        self._connection = connection
        self._shares = Shares(catalogue)
        self._transaction: Any = None
        self._folded = Folded()

    @property
    def open(self) -> bool:
        return self._transaction is not None

    @property
    def full(self) -> bool:
        return self._folded.batches >= MOST

    async def fold(self, polled: Mapping[TopicPartition, list[Read]]) -> None:
        """Write facts and positions. The cells follow with `commit`: one that several batches
        move is written once."""
        if self._transaction is None:
            self._transaction = self._connection.transaction()
            await self._transaction.start()
            self._folded.began = time.time()
        batch = Batch(await positions.lock(self._connection, polled))
        for reads in polled.values():
            batch.take(reads)
        folded = self._folded
        folded.moved.update(await store.write(self._connection, batch, self._shares))
        await park(self._connection, batch.poison)
        await positions.save(self._connection, batch.tallies)
        folded.batches += 1
        folded.records += sum(map(len, polled.values()))
        folded.poison += len(batch.poison)
        folded.counts.append((batch.tallies, firsts(batch)))
        folded.correlations |= batch.correlations
        folded.traces |= batch.traces
        folded.changed |= any(batch.changes.values())

    async def commit(self) -> Folded:
        folded = self._folded
        folded.cells = await settle(self._connection, folded.moved, self._shares)
        if folded.changed:
            await self._connection.execute(f"select pg_notify('{CELLS_CHANNEL}', '')")
        await self._transaction.commit()
        self._transaction, self._folded = None, Folded()
        return folded
