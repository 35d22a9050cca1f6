"""What the routes of dead letters take and give. A record is shown only to who asks to see it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nastavnik_common.examples import example
from nastavnik_common.fields import WHOLE

MAX_ID = 2**53 - 1  # what every reader of JSON holds exactly
State = Literal["open", "resolved", "discarded"]
Result = Literal["applied", "superseded", "failed"]


_NO_NUL = r"^[^\x00]*$"


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds the NUL character")
    return text


Text = Annotated[
    str,
    Field(min_length=1, max_length=200, json_schema_extra={"pattern": _NO_NUL}),
    AfterValidator(_no_nul),
]
Reason = Annotated[
    str,
    Field(min_length=1, max_length=2000, json_schema_extra={"pattern": _NO_NUL}),
    AfterValidator(_no_nul),
]
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
    by: str | None = Field(description="opaque, of whose token it was; null: not known")
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


class ReplayMany(_Body):
    topic: Text | None = None
    code: Text | None = None
    limit: Annotated[int, Field(ge=1, le=1000), WHOLE] = 100
    after: Annotated[int, Field(ge=0, le=MAX_ID, description="letters after this id"), WHOLE] = 0


class Fix(_Body):
    """What is given replaces what the record, or its newest corrected copy, has."""

    headers: dict[Text, str | None] | None = Field(
        default=None, description="these headers only; null removes one"
    )
    key_base64: Base64 | None = None
    value_base64: Base64 | None = Field(default=None, description="null, if given: a tombstone")


class Discard(_Body):
    model_config = example(reason="sent by mistake")

    reason: Reason
