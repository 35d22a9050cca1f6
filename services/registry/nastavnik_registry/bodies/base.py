"""What all bodies share: texts, codes, numbers. Text is stripped and has no NUL."""

from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from nastavnik_common import clock

NO_NUL = r"^[^\x00]*$"
CODE = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$"
SOURCE = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


def _text(longest: int) -> Any:
    return StringConstraints(
        strip_whitespace=True, min_length=1, max_length=longest, pattern=NO_NUL
    )


Text = Annotated[str, _text(255)]
LongText = Annotated[str, _text(2000)]
Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{8,15}$")]
SourceName = Annotated[
    str,
    StringConstraints(pattern=SOURCE, max_length=63),
    Field(description="The outside system, by a name that stays the same"),
]
OutsideId = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_NUL)]
IndicatorCode = Annotated[str, StringConstraints(pattern=CODE, max_length=100)]


def _school_year(label: str) -> str:
    try:
        clock.parse_label(label)
    except ValueError:
        raise ValueError("the second year is not the one after the first") from None
    return label


SchoolYearLabel = Annotated[
    str,
    StringConstraints(pattern=r"^(199[0-9]|20[0-9]{2}|21[0-9]{2})/[0-9]{2}$"),
    AfterValidator(_school_year),
    Field(examples=["2026/27"], description="First year and the last two digits of the next"),
]


def _number(value: Any) -> Any:
    """JSON numbers only: neither text nor true."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("not a number")
    return value


Percent = Annotated[
    Decimal,
    Field(ge=0, le=100, decimal_places=2),
    BeforeValidator(_number),
    WithJsonSchema(
        {
            "type": "number",
            "minimum": 0,
            "maximum": 100,
            "multipleOf": 0.01,
            "description": "At most two decimals",
        }
    ),
]


Count = Annotated[int, Field(ge=0, le=1_000_000_000), BeforeValidator(_number)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ExternalRef(Body):
    source: SourceName
    id: OutsideId


ExternalRefs = Annotated[list[ExternalRef], Field(max_length=50)]


class Deleted(BaseModel):
    """The marker left behind; `version` is the tombstone's."""

    id: UUID
    version: int
    deleted: Literal[True] = True
