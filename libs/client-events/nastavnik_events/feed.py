"""The change feed over HTTP, with nothing but the standard library."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import msgspec

from nastavnik_common.events import Kind
from nastavnik_events.reading import Change, from_cloudevent

_MARGIN = 30.0  # seconds beyond the wait until a silent server counts as gone


class ExpiredError(RuntimeError):
    """The cursor is from before a restore of the service's database: begin again without one."""


class Page(NamedTuple):
    """`changes` without those of a type newer than this package. Keep `cursor` in the transaction
    in which you keep what you made of them."""

    changes: list[Change]
    cursor: str
    more: bool


class _Body(msgspec.Struct):
    items: list[dict[str, Any]]
    next_cursor: str
    more: bool


def pages(
    url: str,
    *,
    kinds: Sequence[Kind[Any]] = (),
    cursor: str | None = None,
    limit: int = 1000,
    wait: float = 0,
    token: str | None = None,
) -> Iterator[Page]:
    """Pages of the feed of the service at `url`, from the beginning or from a kept cursor.

    With `wait` (seconds, up to 30) without end: a page may be empty when nothing changed in that
    time. Without, until all has been read. ExpiredError as said there; OSError, urllib's errors
    among them, when the service does not answer or refuses.
    """
    given: list[tuple[str, str]] = [("kind", kind.name) for kind in kinds]
    given += [("limit", str(limit)), ("wait", str(wait))]
    while True:
        asked = [*given, ("cursor", cursor)] if cursor is not None else given
        body = _get(f"{url.rstrip('/')}/changes?{urlencode(asked)}", wait + _MARGIN, token)
        cursor = body.next_cursor
        found = [change for item in body.items if (change := from_cloudevent(item)) is not None]
        yield Page(found, cursor, body.more)
        if not (body.more or wait):
            return


def _get(url: str, timeout: float, token: str | None) -> _Body:
    if not url.startswith(("http://", "https://")):
        raise ValueError("the address of a service begins with http:// or https://")
    headers = {"accept": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    try:
        request = Request(url, headers=headers)  # noqa: S310 -- the scheme was looked at
        with urlopen(request, timeout=timeout) as answer:  # noqa: S310
            return msgspec.json.decode(answer.read(), type=_Body)
    except HTTPError as error:
        if error.code == 410:
            raise ExpiredError("the cursor has expired") from error
        raise
