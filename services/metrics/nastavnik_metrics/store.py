"""One batch into the database: facts, then everything that follows from them."""

from nastavnik_metrics import facts
from nastavnik_metrics.batch import Batch
from nastavnik_metrics.catalogue.model import Catalogue
from nastavnik_metrics.facts import Connection
from nastavnik_metrics.refold import refold


async def apply(connection: Connection, batch: Batch, catalogue: Catalogue) -> int:
    """Write the batch's changes. The caller holds the transaction and has locked the positions.
    Returns how many cells changed."""
    dirty = await facts.write(connection, batch, catalogue.enough_sessions)
    return await refold(connection, dirty, catalogue)
