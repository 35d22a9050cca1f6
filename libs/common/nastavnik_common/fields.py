"""Fields of request bodies that take exactly what the description says."""

from typing import Annotated, Any

from pydantic import BeforeValidator

ABSENT: Any = None
"""Default of a field that a change may leave out but not clear; `model_fields_set` tells."""


def _number(value: Any) -> Any:
    """A number as JSON has them: 1.0 is a whole one, "1" and true are none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError("is not a whole number")


WHOLE = BeforeValidator(_number)
"""After bounds, for these would be missing from the description before it."""
Whole = Annotated[int, WHOLE]
