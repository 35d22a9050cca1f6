"""A OneRoster provider: pages of its collections, asked for again while it is busy or away."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx
import msgspec
import tenacity

from nastavnik_common import clock
from nastavnik_registry.pulling.auth import auth_of
from nastavnik_registry.pulling.config import PullSource
from nastavnik_registry.pulling.errors import BusyError, PullError, RefusedError

_LONGEST_WAIT = 300.0
_LARGEST_BODY = 64 * 1024 * 1024
_CODES = {
    401: "pull.unauthorised",
    403: "pull.forbidden",
    404: "pull.unknown_collection",
}


class Page(NamedTuple):
    """`total`: of the whole collection, if the provider says so. `at`: its own time."""

    rows: list[dict[str, Any]]
    total: int | None
    at: datetime


class Provider:
    def __init__(
        self, source: PullSource, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._source = source
        self._client = httpx.AsyncClient(
            auth=auth_of(source),
            headers={"accept": "application/json"},
            timeout=httpx.Timeout(60, connect=10),
            transport=transport,
        )

    async def page(self, collection: str, params: Mapping[str, str | int]) -> Page:
        """Raises PullError: RefusedError for a request that is not understood, BusyError when the
        attempts are used up."""
        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(BusyError),
            stop=tenacity.stop_after_attempt(self._source.attempts),
            wait=self._wait,
            reraise=True,
        )
        found: Page = await attempts(self._page, collection, params)
        return found

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """As long as the provider says, else ever longer; never longer than five minutes."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, BusyError) and error.wait is not None:
            return min(error.wait, _LONGEST_WAIT)
        longer = tenacity.wait_exponential_jitter(self._source.backoff_seconds, _LONGEST_WAIT)
        return longer(state) if self._source.backoff_seconds else 0.0

    async def _page(self, collection: str, params: Mapping[str, str | int]) -> Page:
        url = f"{self._source.base_url.rstrip('/')}/{collection}"
        try:
            async with self._client.stream("GET", url, params=params) as response:
                _check(response)
                body = await _body(response)
        except httpx.TransportError:
            raise BusyError from None
        return Page(_rows(body, collection), _total(response), _moment(response))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if status == 429 or status >= 500:
        raise BusyError(retry_after(response.headers.get("retry-after", "")))
    if status in (400, 422):
        raise RefusedError
    if status != 200:
        raise PullError(_CODES.get(status, "pull.bad_answer"))


def retry_after(value: str) -> float | None:
    """Seconds, from either form of the header."""
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.astimezone(UTC) - clock.now()).total_seconds())


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for block in response.aiter_bytes():
        body += block
        if len(body) > _LARGEST_BODY:
            raise PullError("pull.answer_too_large")
    return bytes(body)


def _rows(body: bytes, collection: str) -> list[dict[str, Any]]:
    try:
        document = msgspec.json.decode(body, type=dict[str, Any])
        rows = msgspec.convert(document[collection], list[dict[str, Any]])
    except (msgspec.MsgspecError, KeyError):
        raise PullError("pull.bad_answer") from None
    if not all(isinstance(row.get("sourcedId"), str) and row["sourcedId"] for row in rows):
        raise PullError("pull.bad_answer")
    return rows


def _total(response: httpx.Response) -> int | None:
    text = response.headers.get("x-total-count", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _moment(response: httpx.Response) -> datetime:
    try:
        return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return clock.now()
