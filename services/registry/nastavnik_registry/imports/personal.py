"""What an import owes to personal data: the erased stay away, and the trace knows who came."""

from collections.abc import Collection, Sequence
from uuid import UUID

from nastavnik_common import db
from nastavnik_registry.aggregates import erasure, trace
from nastavnik_registry.domain import privacy
from nastavnik_registry.imports.ledger import Target

BROUGHT = tuple(category for category in privacy.RECORD if category != "trainings")
CHUNK = 4000
_CAME = """
    select entity_id from import_change
    where import_id = $1 and seq > $2 and kind = 'participant' order by seq
"""


async def leave_out_erased(target: Target) -> int:
    """Of the staging tables; how many people these were."""
    raw = await db.driver(target.tx)
    return await erasure.leave_out(raw, target.source, ("s_user",))


async def erased_among(target: Target, outside: Collection[str]) -> set[str]:
    raw = await db.driver(target.tx)
    return await erasure.among(raw, target.source, outside)


async def came(target: Target, seq: int) -> None:
    """Enter those who were added after the entry `seq` of the ledger."""
    raw = await db.driver(target.tx)
    ids = [row[0] for row in await raw.fetch(_CAME, target.ledger.import_id, seq)]
    for start in range(0, len(ids), CHUNK):
        await traced(target, "registered", ids[start : start + CHUNK], BROUGHT)


async def traced(
    target: Target, action: str, ids: Sequence[UUID], categories: Sequence[str]
) -> None:
    cause = f"import {target.ledger.import_id}"
    await trace.changed(target.tx, action, ids, categories, cause)
