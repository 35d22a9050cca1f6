"""Whatever the order, the repeats, the corrections, the moves and the deletions: the figures are
what an independent recomputation makes of the latest states."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nastavnik_common import db
from nastavnik_common.events.metrics import IndicatorValueState
from nastavnik_local.recount import Change, Figure, Figures
from nastavnik_metrics import fold, renewal, snapshot, values
from nastavnik_metrics.cells import Cell, Cells
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.shares import Shares
from tests.metrics import reference, world
from tests.metrics.conftest import CATALOGUE, empty, fold_in
from tests.metrics.histories import histories

MOMENTS = ((2024, 11), (2025, 8), (2025, 11), (2026, 1), (2026, 11))
WATERMARK = datetime(2027, 1, 15, tzinfo=UTC)


def latest(history: list[tuple[Any, int, Any]]) -> list[Any]:
    """The newest states, without the deleted."""
    newest: dict[tuple[str, UUID], tuple[int, Any]] = {}
    for kind, version, state in history:
        ident = state if isinstance(state, UUID) else state.id
        if version > newest.get((kind.name, ident), (0, None))[0]:
            newest[kind.name, ident] = (version, state)
    return [s for _, s in newest.values() if not isinstance(s, UUID)]


def records(history: list[tuple[Any, int, Any]]) -> list[world.FakeRecord]:
    return world.renumbered(
        world.tombstone(kind, state, version) if isinstance(state, UUID) else world.record(state)
        for kind, version, state in history
    )


async def stored_cells(connection: asyncpg.Connection) -> Cells:
    rows = await connection.fetch("select * from cell where value <> 0")
    return {
        Cell(r["organization_id"], r["school_month"], r["slice"], r["measure"]): r["value"]
        for r in rows
    }


async def api_figures(database: MetricsSettings, year: int, month: int) -> Figures:
    """What the service makes of its cells, when events have been read up to January 2027."""
    engine = db.create_engine(database)
    async with db.create_sessions(engine)() as tx:
        taken = await snapshot.take(tx, values.month_asked(year, month), CATALOGUE)
        snap = taken._replace(watermark=WATERMARK)
        found = await values.evaluated(
            tx, snap, sorted(snap.tree.units), CATALOGUE.current(year), None
        )
    await engine.dispose()
    return {(v.indicator, v.form, str(v.organization_id)): _figure(v) for v in found}


def _figure(v: IndicatorValueState) -> Figure:
    denominator = 0 if v.unit in ("count", "rub", "hours") else v.denominator
    change = Change(v.change.count, v.change.sum, v.change.squares) if v.change else None
    return Figure(v.numerator, denominator, change)


def whole_month(year: int, month: int) -> int:
    """The last month that was over at the watermark: December 2026."""
    return min(12 * year + month, 12 * 2026 + 3) - 12 * year


def without_nothing(figures: Figures) -> Figures:
    """Slices in which an indicator counts nothing are not served."""
    return {
        key: f
        for key, f in figures.items()
        if key[1] == "all" or f.numerator or (f.change and f.change.pairs)
    }


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_history_in_any_order(metrics_settings: MetricsSettings, data: st.DataObject) -> None:
    history = data.draw(histories())
    repeats = data.draw(st.lists(st.sampled_from(history), max_size=6))
    log = records(data.draw(st.permutations(history + repeats)))
    size = data.draw(st.sampled_from([1, 3, 100]))
    asyncio.run(_check(metrics_settings, history, log, size))


async def _check(
    database: MetricsSettings,
    history: list[tuple[Any, int, Any]],
    log: list[world.FakeRecord],
    size: int,
) -> None:
    connection = await db.connect(database.database_url)
    try:
        await empty(connection)
        await fold_in(connection, log, size)
        states = latest(history)
        assert await stored_cells(connection) == fold.recompute(states, CATALOGUE)
        for year, month in MOMENTS:
            expected = reference.figures(states, year, month, whole_month(year, month))
            found = await api_figures(database, year, month)
            assert without_nothing(found) == without_nothing(expected), (year, month)
            assert all(found[key] == expected[key] for key in found)
        await connection.execute("truncate owner, cell; update session set pattern = null")
        await renewal.renew(connection, Shares(CATALOGUE))
        assert await stored_cells(connection) == fold.recompute(states, CATALOGUE)
    finally:
        await connection.close()
