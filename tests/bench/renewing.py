"""Figures against facts: all of them recomputed and compared, and made anew without the log."""

from typing import Any

from prometheus_client import CollectorRegistry

from nastavnik_common import collector, db
from nastavnik_metrics import catalogue, renewal, store
from nastavnik_metrics.audit import Auditor
from nastavnik_metrics.definitions import Definitions
from nastavnik_metrics.rebuild_tables import FACTS
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.shares import Shares
from nastavnik_metrics.telemetry import AuditMetrics
from tests.bench.harness import Row, timed

_COPY = "COPY of one row per event"


async def audited(settings: MetricsSettings, copied: float) -> list[Row]:
    auditor = Auditor(settings, Definitions(settings.catalogue), AuditMetrics(CollectorRegistry()))
    connection = await db.connect(settings.database_url)
    facts = await _facts(connection)
    await connection.close()
    with timed() as seconds:
        found = await auditor.full()
    if found.drift or not found.owners:
        raise RuntimeError(f"{found.drift} numbers differ, {found.owners} owners")
    return [
        Row("full audit, every figure from its facts", facts / seconds(), "facts/s", copied, _COPY)
    ]


async def renewed(settings: MetricsSettings, copied: float) -> list[Row]:
    """As after an upgrade that empties what is derived."""
    collector.relax()
    connection = await db.connect(settings.database_url)
    await store.dedicate(connection)
    facts, cells = await _facts(connection), await _cells(connection)
    await connection.execute("truncate owner, cell; update session set pattern = null")
    with timed() as seconds:
        await renewal.renew(connection, Shares(catalogue.load(settings.catalogue)))
    if await _cells(connection) != cells:
        raise RuntimeError("the cells are not what they were")
    await connection.close()
    return [
        Row("shares and cells anew from the facts", facts / seconds(), "facts/s", copied, _COPY)
    ]


async def _facts(connection: Any) -> int:
    return sum([await connection.fetchval(f"select count(*) from {table}") for table in FACTS])


async def _cells(connection: Any) -> list[Any]:
    """How many there are that say anything, and their sum by measure."""
    query = "select measure, count(*), sum(value) from cell where value <> 0 group by 1 order by 1"
    return [tuple(row) for row in await connection.fetch(query)]
