"""One batch into the database: facts, then everything that follows from them."""

from nastavnik_metrics import facts
from nastavnik_metrics.batch import Batch
from nastavnik_metrics.dirty import Connection
from nastavnik_metrics.refold import refold
from nastavnik_metrics.shares import Shares


async def apply(connection: Connection, batch: Batch, shares: Shares) -> int:
    """Write the batch's changes. The caller holds the transaction, has locked the positions, and
    throws `shares` away when the transaction fails. Returns how many cells changed."""
    shares.trim()
    dirty = await facts.write(connection, batch, shares)
    return await refold(connection, dirty, shares)
