"""What the routes of dead letters take and give. A record is shown only to who asks to see it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from nastavnik_common.examples import example

MAX_ID = 2**63 - 1
State = Literal["open", "resolved", "discarded"]
Result = Literal["applied", "superseded", "failed"]


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds the NUL character")
    return text


def _number(value: Any) -> Any:
    """A number as JSON has them: 1.0 is a whole one, "1" and true are none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError("is not a whole number")


Whole = Annotated[int, BeforeValidator(_number)]
Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_nul)]
Reason = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_no_nul)]
Base64 = Annotated[str, Field(max_length=4_000_000)]


class LetterView(BaseModel):
    """Where a record came from and why it could not be read; nothing from the record itself."""

    id: int
    topic: str
    partition: int
    offset: int
    state: State
    code: str = Field(description="stable; of the last attempt to read it")
    error: str
    parked_at: datetime
    resolved_at: datetime | None
    discarded_at: datetime | None


class RawHeader(BaseModel):
    name: str
    value_base64: str | None


class RawRecord(BaseModel):
    key_base64: str | None
    headers: list[RawHeader]
    value_base64: str | None = Field(description="null: a tombstone")


class LetterDetail(LetterView):
    header_names: list[str]
    key_bytes: int | None
    headers_bytes: int
    value_bytes: int | None = Field(description="null: a tombstone")
    corrected_at: datetime | None = Field(description="when the newest corrected copy was made")
    record: RawRecord | None = Field(default=None, description="as it came; with reveal=true")
    corrected: RawRecord | None = Field(default=None, description="the copy; with reveal=true")


class ActionView(BaseModel):
    id: int
    letter_id: int | None = Field(description="null: about the consumer, not about a letter")
    at: datetime
    by: str | None = Field(description="as the caller said; null: did not say")
    action: Literal["replay", "fix", "discard", "reveal", "resume"]
    result: Literal["applied", "superseded", "failed", "discarded", "shown", "resumed"]
    detail: str | None


class Replayed(BaseModel):
    letter: LetterView
    result: Result = Field(
        description="applied; superseded: read, but the same or a newer version was known; or"
        " failed: the letter stays open with the error of this attempt"
    )


class ReplayedOne(BaseModel):
    id: int
    result: Result
    code: str | None = Field(description="what is wrong with it, if it failed")


class ReplayedMany(BaseModel):
    resolved: int
    failed: int
    letters: list[ReplayedOne]
    next_after: int | None = Field(description="`after` of the next call; null: there are no more")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Who(_Body):
    by: Text


class Replay(_Body):
    model_config = example(by="operator.1")

    by: Text | None = None


class ReplayMany(_Body):
    topic: Text | None = None
    code: Text | None = None
    limit: Whole = Field(default=100, ge=1, le=1000)
    after: Whole = Field(default=0, ge=0, le=MAX_ID, description="letters after this id")
    by: Text | None = None


class Fix(_Body):
    """What is given replaces what the record, or its newest corrected copy, has."""

    headers: dict[Text, str | None] | None = Field(
        default=None, description="these headers only; null removes one"
    )
    key_base64: Base64 | None = None
    value_base64: Base64 | None = Field(default=None, description="null, if given: a tombstone")
    by: Text


class Discard(_Body):
    model_config = example(by="operator.1", reason="sent by mistake")

    reason: Reason
    by: Text
