"""Every mistake in the list is caught, by what the list says catches it; without one all is well.

Read the list in mutations.py. What catches a mistake in these histories is what is asserted after
every history of the property tests and every step of the machine: `test_the_machine_finds` lets
the machine find two of them by itself.
"""

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from nastavnik_common import db
from nastavnik_metrics import fold
from nastavnik_metrics.settings import MetricsSettings
from tests.metrics import reference
from tests.metrics.conftest import CATALOGUE, empty, fold_in
from tests.metrics.mutation_histories import HISTORIES
from tests.metrics.mutations import MUTATIONS, Mutation
from tests.metrics.test_figures_are_exact import (
    api_figures,
    latest,
    records,
    stored_cells,
    whole_month,
    without_nothing,
)
from tests.metrics.test_stateful import Figures

MOMENTS = ((2026, 1), (2026, 11))
FOUND_BY_THE_MACHINE = [
    "sessions stay where their pair was run",
    "a deletion is ignored",
]


async def told_by(database: MetricsSettings, history: str) -> str | None:
    """What contradicts the figures of the history: cells, figures, or nothing."""
    connection = await db.connect(database.database_url)
    try:
        await empty(connection)
        return await _contradiction(database, connection, history)
    finally:
        await connection.close()


async def _contradiction(
    database: MetricsSettings, connection: asyncpg.Connection, history: str
) -> str | None:
    batches = HISTORIES[history]
    for batch in batches:
        await fold_in(connection, records(batch), len(batch))
    states = latest([fact for batch in batches for fact in batch])
    if await stored_cells(connection) != fold.recompute(states, CATALOGUE):
        return "cells"
    for year, month in MOMENTS:
        expected = reference.figures(states, year, month, whole_month(year, month))
        found = await api_figures(database, year, month)
        if without_nothing(found) != without_nothing(expected):
            return "figures"
    return None


def test_every_history_has_a_mistake_to_show() -> None:
    assert {m.history for m in MUTATIONS} == set(HISTORIES)


@pytest.mark.parametrize("history", HISTORIES)
async def test_unspoilt_the_history_gives_exact_figures(
    metrics_settings: MetricsSettings, history: str
) -> None:
    assert await told_by(metrics_settings, history) is None


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.wrong)
async def test_a_mistake_is_caught(
    metrics_settings: MetricsSettings, monkeypatch: pytest.MonkeyPatch, mutation: Mutation
) -> None:
    mutation.patch(monkeypatch)
    assert await told_by(metrics_settings, mutation.history) == mutation.tells


@pytest.mark.parametrize("wrong", FOUND_BY_THE_MACHINE)
def test_the_machine_finds(
    metrics_settings: MetricsSettings, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    next(m for m in MUTATIONS if m.wrong == wrong).patch(monkeypatch)
    machine = type("Spoilt", (Figures,), {"database": metrics_settings})
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=200,
                stateful_step_count=25,
                deadline=None,
                derandomize=True,  # else it might need long, once in a while
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
