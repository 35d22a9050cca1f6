"""One batch into the database: facts, then everything that follows from them."""

from collections import Counter

from nastavnik_metrics import facts
from nastavnik_metrics.batch import Batch
from nastavnik_metrics.dirty import Connection
from nastavnik_metrics.patterns import Share
from nastavnik_metrics.refold import refold, settle
from nastavnik_metrics.shares import Shares


async def dedicate(connection: Connection) -> None:
    """Make it a connection for nothing but this. Every statement here finds rows by their keys;
    while tables grow from nothing the planner has no statistics and would read them whole."""
    await connection.execute(
        """set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off;
           set jit = off"""
    )


async def apply(connection: Connection, batch: Batch, shares: Shares) -> int:
    """Write the batch's changes. The caller holds the transaction, has locked the positions, and
    throws `shares` away when the transaction fails. Returns how many cells changed."""
    return await settle(connection, await write(connection, batch, shares), shares)


async def write(connection: Connection, batch: Batch, shares: Shares) -> Counter[Share]:
    """All but the cells, which the caller must `settle` by what comes back, in the same
    transaction: a cell that several batches move is written once."""
    shares.trim()
    dirty = await facts.write(connection, batch, shares)
    return await refold(connection, dirty, shares)
