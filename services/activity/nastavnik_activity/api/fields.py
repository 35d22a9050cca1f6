"""Field types that take exactly what the description says, and no more."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.convertors import register_url_convertor

from nastavnik_activity.domain.forms import CODE_PATTERN
from nastavnik_activity.domain.mentorships import REASON_PATTERN
from nastavnik_common.fields import WHOLE
from nastavnik_common.paths import Segment

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII
)


def _day(value: Any) -> Any:
    # pydantic would also take a number of seconds, and a moment at midnight
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise PydanticCustomError("date_format", "Input should be a date such as 2026-09-01")


def _moment(value: Any) -> Any:
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return value
    raise PydanticCustomError(
        "datetime_format", "Input should be a moment such as 2026-09-01T14:00:00+03:00"
    )


class Record(Segment):
    """The id of a record; ``/sessions/reviews`` is none, and has methods of its own."""

    regex = "(?!reviews$)[^/:]+"


register_url_convertor("record", Record())


class Body(BaseModel):
    """A request body: no field that is not described."""

    model_config = ConfigDict(extra="forbid")


Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
FormCode = Annotated[str, Field(pattern=CODE_PATTERN, max_length=63)]
Reason = Annotated[str, Field(pattern=REASON_PATTERN, max_length=63, description="A code")]
# no control characters: PostgreSQL would refuse a zero byte, people the others
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Dosage = Annotated[int, Field(ge=1, le=100), WHOLE]
# enough for any amount; what is too much or too precise is for the rules to say
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?", re.ASCII)


def _number(value: Any) -> Any:
    # a number of JSON comes as a float; its shortest text is what was sent
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    if isinstance(value, Decimal) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        return value
    raise PydanticCustomError("decimal_format", "Input should be a number such as 12500.50")


_TEXT = r"^-?[0-9]{1,20}(\.[0-9]{1,20})?$"
Number = Annotated[
    Decimal,
    BeforeValidator(_number),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number"}, {"type": "string", "pattern": _TEXT}],
            "examples": ["12500.50"],
        }
    ),
]
