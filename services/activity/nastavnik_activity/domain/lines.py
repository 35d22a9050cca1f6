"""What is wrong with a JSON document, said without quoting it: it could hold anything."""

import re

import msgspec

_PLACE = re.compile(r" - at `(\$[^`]*)`$")
_QUOTING = {
    "Invalid enum value": "not one of the allowed values",
    "Object contains unknown field": "a field that is not in the description",
}


def explain(error: msgspec.DecodeError) -> str:
    """The reason and the place, e.g. ``Expected `int`, got `str` at $.duration_minutes``."""
    if not isinstance(error, msgspec.ValidationError):
        return "not a JSON object"
    text = str(error)
    match = _PLACE.search(text)
    place = f" at {match[1]}" if match else ""
    reason = text[: match.start()] if match else text
    for start, safe in _QUOTING.items():
        if reason.startswith(start):
            reason = safe
    return reason + place
