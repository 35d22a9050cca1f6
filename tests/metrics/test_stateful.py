"""A machine that plays sources, broker and projector against each other, step by step.

Sources make new states of any aggregate: created, corrected, voided, moved to another organisation
or year, deleted, made again. The broker delivers any of what is on its way, in any order across
topics, with repeats. The projector folds it on the real PostgreSQL, forgets what it remembered,
dies before a commit. After every delivery the cells are what a recomputation of the latest
delivered states says; at the end so are all values of the API, by the independent recount.

Thirty machines a run. Longer:

    STATEFUL_EXAMPLES=1000 make test ARGS="tests/metrics/test_stateful.py --timeout 3600"
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from nastavnik_common import db, events
from nastavnik_metrics import fold, store
from nastavnik_metrics.batch import Batch
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_metrics.shares import Shares
from tests.metrics import histories, reference
from tests.metrics.conftest import CATALOGUE, empty
from tests.metrics.test_figures_are_exact import (
    MOMENTS,
    api_figures,
    latest,
    records,
    stored_cells,
    whole_month,
    without_nothing,
)
from tests.metrics.world import ident

EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "30"))
STEPS = 25
SOURCES: dict[Any, tuple[tuple[str, ...], Callable[[str], Any]]] = {
    events.ORGANIZATION: (histories.SCHOOLS, histories.units),
    events.PARTICIPANT: (histories.PEOPLE, histories.people),
    events.MENTORSHIP: (histories.PAIRS, histories.pairs),
    events.SESSION: (histories.MEETINGS, histories.meetings),
    events.SURVEY: (("u1", "u2"), histories.surveys),
    events.ASSESSMENT: (("a1", "a2"), histories.assessments),
    events.PROGRAMME: (("g1",), histories.programmes),
    events.GATHERING: (("e1",), histories.gatherings),
    events.CONTRIBUTION: (("c1",), histories.contributions),
}
NAMED = [(kind, name) for kind, (names, _) in SOURCES.items() for name in names]
COUNTED = [(k, n) for k, n in NAMED if k in (events.PARTICIPANT, events.MENTORSHIP, events.SESSION)]
VOIDABLE = (
    events.SESSION,
    events.SURVEY,
    events.ASSESSMENT,
    events.GATHERING,
    events.CONTRIBUTION,
)
Fact = tuple[Any, int, Any]
"""(kind, version, state; or the id of what was deleted)"""


class Figures(RuleBasedStateMachine):
    database: ClassVar[MetricsSettings]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.connection = self.loop.run(db.connect(self.database.database_url))
        self.loop.run(empty(self.connection))
        self.shares = Shares(CATALOGUE)
        self.newest: dict[tuple[Any, str], Fact] = {}
        self.on_the_way: list[Fact] = [(events.ORGANIZATION, 1, s) for s in histories.TERRITORIES]
        self.delivered: list[Fact] = []

    # -- sources

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Somebody to count, so that few machines play with an empty world."""
        for kind, name in COUNTED:
            self._change(kind, name, data.draw(SOURCES[kind][1](name)))

    @rule(at=st.sampled_from(NAMED), data=st.data())
    def create_or_correct(self, at: tuple[Any, str], data: st.DataObject) -> None:
        kind, name = at
        self._change(kind, name, data.draw(SOURCES[kind][1](name)))

    @rule(at=st.sampled_from([a for a in NAMED if a[0] in VOIDABLE]))
    def void(self, at: tuple[Any, str]) -> None:
        self._edit(at, status="voided")

    @rule(name=st.sampled_from(histories.PEOPLE), data=st.data())
    def move_a_person(self, name: str, data: st.DataObject) -> None:
        """To where somebody else would have been drawn."""
        other = data.draw(histories.people(name))
        self._edit((events.PARTICIPANT, name), memberships=other.memberships)

    @rule(
        name=st.sampled_from(histories.PAIRS),
        school=st.sampled_from(histories.SCHOOLS),
    )
    def move_a_pair(self, name: str, school: str) -> None:
        self._edit((events.MENTORSHIP, name), organization_id=ident(school))

    @rule(
        name=st.sampled_from(histories.MEETINGS),
        pair=st.sampled_from(histories.PAIRS),
        day=histories.dates,
    )
    def move_a_session(self, name: str, pair: str, day: Any) -> None:
        """To another day, perhaps of another year, and perhaps to another pair."""
        self._edit((events.SESSION, name), mentorship_id=ident(pair), date=day)

    @rule(at=st.sampled_from([a for a in NAMED if a[0] is not events.ORGANIZATION]))
    def delete(self, at: tuple[Any, str]) -> None:
        if at in self.newest:
            self._change(*at, None)

    def _edit(self, at: tuple[Any, str], **more: Any) -> None:
        if at in self.newest and not isinstance(state := self.newest[at][2], UUID):
            self._change(*at, msgspec.structs.replace(state, **more))

    def _change(self, kind: Any, name: str, state: Any) -> None:
        version = self.newest[kind, name][1] + 1 if (kind, name) in self.newest else 1
        now = ident(name) if state is None else msgspec.structs.replace(state, version=version)
        self.newest[kind, name] = (kind, version, now)
        self.on_the_way.append(self.newest[kind, name])

    # -- broker and projector

    @precondition(lambda self: self.on_the_way)
    @rule(data=st.data(), size=st.sampled_from([1, 3, 100]))
    def deliver(self, data: st.DataObject, size: int) -> None:
        """Some of what is on its way, or all, with repeats of what had come before."""
        some = data.draw(st.lists(st.sampled_from(range(len(self.on_the_way))), unique=True))
        chosen = some or list(range(len(self.on_the_way)))
        batch = [self.on_the_way[i] for i in chosen]
        self.on_the_way = [f for i, f in enumerate(self.on_the_way) if i not in chosen]
        repeats = data.draw(st.lists(st.sampled_from(self.delivered + batch), max_size=3))
        self._fold(data.draw(st.permutations(batch + repeats)), size)

    @rule()
    def republish(self) -> None:
        """All current states again; what is on its way will come late."""
        self._fold(list(self.newest.values()), 100)

    @rule()
    def forget(self) -> None:
        """Another projector takes over, which remembers nothing."""
        self.shares = Shares(CATALOGUE)

    @precondition(lambda self: self.on_the_way)
    @rule()
    def die_before_the_commit(self) -> None:
        transaction = self.connection.transaction()
        self.loop.run(transaction.start())
        self.loop.run(self._apply(self.on_the_way))
        self.loop.run(transaction.rollback())
        self.forget()
        self._check_cells()

    def _fold(self, facts: list[Fact], size: int) -> None:
        for start in range(0, len(facts), size):
            self.loop.run(self._commit(facts[start : start + size]))
        self.delivered += facts
        self._check_cells()

    async def _commit(self, facts: list[Fact]) -> None:
        async with self.connection.transaction():
            await self._apply(facts)

    async def _apply(self, facts: list[Fact]) -> None:
        log = records(facts)
        batch = Batch({(r.topic, r.partition): 0 for r in log})
        batch.add(log)
        await store.apply(self.connection, batch, self.shares)

    # -- what must be

    def _check_cells(self) -> None:
        found = self.loop.run(stored_cells(self.connection))
        assert found == fold.recompute(latest(self.delivered), CATALOGUE)

    def teardown(self) -> None:
        try:
            self._fold(self.on_the_way, 100)
            self._check_values()
        finally:
            self.loop.run(self.connection.close())
            self.loop.close()

    def _check_values(self) -> None:
        states = latest(self.delivered)
        for year, month in MOMENTS:
            expected = reference.figures(states, year, month, whole_month(year, month))
            found = self.loop.run(api_figures(self.database, year, month))
            assert without_nothing(found) == without_nothing(expected), (year, month)


def test_whatever_happens_the_figures_are_exact(metrics_settings: MetricsSettings) -> None:
    machine = type("Figures", (Figures,), {"database": metrics_settings})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
