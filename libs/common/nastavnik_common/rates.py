"""How often one client may ask: a bucket of requests that fills up again, for each."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from nastavnik_common.errors import DomainError

MOST = 10_000
"""Clients remembered; whoever was not heard of for longest is forgotten first."""


class RateExceededError(DomainError):
    """429. `wait`: whole seconds until there is room again."""

    status = 429

    def __init__(self, wait: float) -> None:
        super().__init__("rate.exceeded", "Too many requests. Wait, or send more at once.")
        self.wait = max(1, math.ceil(wait))


class Rates:
    """`rate` requests a second, and `burst` at once; 0: no limit. In this process alone."""

    def __init__(
        self, rate: float, burst: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._now = rate, burst, now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, client: str) -> None:
        """Count a request; RateExceededError when it is one too many."""
        if not self._rate:
            return
        now = self._now()
        left, since = self._buckets.pop(client, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        allowed = left >= 1
        self._buckets[client] = (left - 1 if allowed else left, now)
        if len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
        if not allowed:
            raise RateExceededError((1 - left) / self._rate)
