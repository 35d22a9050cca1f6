"""Dead letters of the projector, and the brake that keeps a bad deploy from parking everything."""

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from nastavnik_common import dead_letters
from nastavnik_metrics.batch import Poison


class SurgeError(RuntimeError):
    """Too many records could not be read: something is wrong with us or with the producer."""


class Surge:
    """Counts poison records of the last minute. Over the limit the consumer stops reading, and
    readiness says why, until `reset`, or until the process is started again."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: deque[tuple[float, int]] = deque()
        self._stopped = False

    def count(self, poison: int) -> None:
        now = time.monotonic()
        if poison:
            self._seen.append((now, poison))
        while self._seen and self._seen[0][0] < now - 60:
            self._seen.popleft()
        if sum(n for _, n in self._seen) > self._limit:
            self._stopped = True

    def stopped(self) -> bool:
        return self._stopped

    def check(self) -> None:
        if self._stopped:
            raise SurgeError(
                f"stopped: more than {self._limit} unreadable records within a minute;"
                " see /dead-letters, then POST /dead-letters:resume"
            )

    def reset(self) -> None:
        """Go on, and count anew."""
        self._seen.clear()
        self._stopped = False


async def park(connection: Any, poison: Sequence[Poison]) -> None:
    """Put records aside in the batch's own transaction, and announce them on the DLQ topic."""
    for record, code, detail in poison:
        for table, row in (
            ("dead_letter", dead_letters.letter(record, code, detail)),
            ("outbox", dead_letters.notice(record, code)),
        ):
            names = ", ".join(f'"{name}"' for name in row)
            places = ", ".join(f"${i + 1}" for i in range(len(row)))
            await connection.execute(
                f"insert into {table} ({names}) values ({places})",  # noqa: S608 -- names are ours
                *row.values(),
            )
