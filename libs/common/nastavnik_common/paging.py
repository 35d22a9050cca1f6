"""Lists page by an opaque keyset cursor: nothing is skipped or repeated while rows change."""

import base64
import binascii
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Query
from pydantic import BaseModel, Field

from nastavnik_common.errors import DomainError

T = TypeVar("T")
MAX_LIMIT = 1000
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows a page")]
Cursor = Annotated[
    str | None, Query(max_length=1000, description="next_cursor of the page before; opaque")
]


class Page(BaseModel, Generic[T]):
    items: list[T]
    next_cursor: str | None = Field(default=None, description="null on the last page")


def encode_cursor(*key: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


KeyT = TypeVar("KeyT")


def decode_cursor(cursor: str, key_type: type[KeyT]) -> KeyT:
    """The key of the last row seen. `key_type` is a tuple type, e.g. ``tuple[UUID]``."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=key_type)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise DomainError("cursor.invalid", "The cursor is not one of ours.", status=400) from error
