"""Counting what was recorded, once it is committed."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from prometheus_client import Counter as Metric
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_activity.commands.base import Results
from nastavnik_common.errors import DomainError

N = TypeVar("N")


class Counting(Generic[N]):
    """Runs a command, and remembers what its last run made: a collision makes it run again."""

    def __init__(
        self,
        run: Callable[[AsyncSession, Sequence[N]], Awaitable[Results]],
        metric: Metric,
        label: Callable[[Any], str],
    ) -> None:
        self._run, self._metric, self._label = run, metric, label
        self._made: Counter[str] = Counter()

    async def run(self, tx: AsyncSession, asked: Sequence[N]) -> Results:
        results = await self._run(tx, asked)
        made = (r.state for r in results if not isinstance(r, DomainError) and r.created)
        self._made = Counter(map(self._label, made))
        return results

    def committed(self) -> None:
        for label, count in self._made.items():
            self._metric.labels(label).inc(count)
