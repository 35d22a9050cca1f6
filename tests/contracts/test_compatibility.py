"""The check that keeps event types compatible: it must refuse, and must not cry wolf."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from nastavnik_common import compatibility, contract
from nastavnik_common.compatibility import breaking, compare
from nastavnik_common.events import KINDS

Schema = dict[str, Any]

OLD: Schema = {
    "$ref": "#/$defs/Thing",
    "$defs": {
        "Thing": {
            "type": "object",
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "status": {"enum": ["held", "voided"]},
                "minutes": {"type": "integer", "minimum": 1, "maximum": 720},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "default": []},
            },
            "required": ["id", "status", "minutes"],
        },
        "Part": {
            "type": "object",
            "properties": {"role": {"enum": ["mentor", "mentee"]}},
            "required": ["role"],
        },
    },
}


def changed(edit: Callable[[Schema, Schema], Any]) -> Schema:
    """The schema after an edit of its two definitions, the thing and its part."""
    new = copy.deepcopy(OLD)
    edit(new["$defs"]["Thing"], new["$defs"]["Part"])
    return new


def remove_field(thing: Schema, part: Schema) -> None:
    del thing["properties"]["note"]


def add_required_field(thing: Schema, part: Schema) -> None:
    thing["properties"]["place"] = {"type": "string"}
    thing["required"].append("place")


def require_optional_field(thing: Schema, part: Schema) -> None:
    thing["required"].append("note")


def stop_requiring_field(thing: Schema, part: Schema) -> None:
    thing["required"].remove("minutes")


def drop_enum_member(thing: Schema, part: Schema) -> None:
    thing["properties"]["status"]["enum"].remove("voided")


def drop_nested_enum_member(thing: Schema, part: Schema) -> None:
    part["properties"]["role"]["enum"].remove("mentee")


def rename_nested_field(thing: Schema, part: Schema) -> None:
    part["properties"]["as"] = part["properties"].pop("role")


def forbid_null(thing: Schema, part: Schema) -> None:
    thing["properties"]["note"] = {"type": "string", "default": None}


def change_type(thing: Schema, part: Schema) -> None:
    thing["properties"]["minutes"] = {"type": "string"}


def constrain_text(thing: Schema, part: Schema) -> None:
    thing["properties"]["note"] = {"enum": ["short", "long", None], "default": None}


def raise_minimum(thing: Schema, part: Schema) -> None:
    thing["properties"]["minutes"]["minimum"] = 5


def lower_maximum(thing: Schema, part: Schema) -> None:
    thing["properties"]["minutes"]["maximum"] = 480


def add_pattern(thing: Schema, part: Schema) -> None:
    thing["properties"]["id"]["pattern"] = "^[0-9a-f-]+$"


def change_format(thing: Schema, part: Schema) -> None:
    thing["properties"]["id"]["format"] = "uri"


def close_object(thing: Schema, part: Schema) -> None:
    thing["additionalProperties"] = False


def change_default(thing: Schema, part: Schema) -> None:
    thing["properties"]["note"]["default"] = ""


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (remove_field, "note: was removed"),
        (add_required_field, "place: is new and required: older records lack it"),
        (require_optional_field, "note: became required: older records lack it"),
        (stop_requiring_field, "minutes: is no longer required: older readers rely on it"),
        (drop_enum_member, "status: may no longer be 'voided'"),
        (drop_nested_enum_member, "parts[].role: may no longer be 'mentee'"),
        (rename_nested_field, "parts[].role: was removed"),
        (forbid_null, "note: may no longer be null"),
        (change_type, "minutes: may no longer be integer"),
        (constrain_text, "note: is now one of ['short', 'long']"),
        (raise_minimum, "minutes: minimum 1 became 5"),
        (lower_maximum, "minutes: maximum 720 became 480"),
        (add_pattern, "id: pattern nothing became ^[0-9a-f-]+$"),
        (change_format, "id: format uuid became uri"),
        (close_object, "payload: accepts no further fields any more"),
        (change_default, "note: default None became ''"),
    ],
)
def test_a_breaking_change_is_refused(edit: Callable[[Schema, Schema], None], told: str) -> None:
    assert [str(change) for change in breaking(OLD, changed(edit))] == [told]


def add_optional_field(thing: Schema, part: Schema) -> None:
    thing["properties"]["place"] = {"type": "string", "default": ""}


def reorder(thing: Schema, part: Schema) -> None:
    thing["properties"] = dict(reversed(thing["properties"].items()))
    thing["properties"]["status"]["enum"].reverse()
    thing["required"].reverse()


def describe(thing: Schema, part: Schema) -> None:
    thing["description"] = "What it is"
    thing["properties"]["minutes"]["description"] = "How long"


@pytest.mark.parametrize("edit", [add_optional_field, reorder, describe])
def test_an_addition_is_no_change_to_anybody(edit: Callable[[Schema, Schema], None]) -> None:
    assert compare(OLD, changed(edit)) == []


def add_enum_member(thing: Schema, part: Schema) -> None:
    thing["properties"]["status"]["enum"].append("cancelled")


def allow_null(thing: Schema, part: Schema) -> None:
    thing["properties"]["minutes"] = {
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": 720}, {"type": "null"}]
    }


def integer_to_number(thing: Schema, part: Schema) -> None:
    thing["properties"]["minutes"] = {"type": "number", "minimum": 1, "maximum": 720}


def raise_maximum(thing: Schema, part: Schema) -> None:
    thing["properties"]["minutes"]["maximum"] = 1440


@pytest.mark.parametrize("edit", [add_enum_member, allow_null, integer_to_number, raise_maximum])
def test_new_values_need_the_consumers_first(edit: Callable[[Schema, Schema], None]) -> None:
    """Readers here decode strictly: a value they do not know is a dead letter."""
    assert {change.grade for change in compare(OLD, changed(edit))} == {"consumers_first"}


def test_a_moved_definition_is_the_same_schema() -> None:
    new = copy.deepcopy(OLD)
    new["$defs"]["Item"] = new["$defs"].pop("Part")
    new["$defs"]["Thing"]["properties"]["parts"]["items"]["$ref"] = "#/$defs/Item"
    assert compare(OLD, new) == []


@pytest.mark.parametrize("schema", [{"if": {}}, {"anyOf": [{"type": "object"}] * 2}])
def test_what_it_does_not_understand_it_does_not_pass(schema: Schema) -> None:
    with pytest.raises(ValueError, match=r"not understood|same type"):
        compare(schema, schema)


def test_it_understands_every_schema_of_the_contract() -> None:
    for schema in contract.schemas().values():
        assert compatibility.compare(schema, schema) == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_field_of_any_event_can_be_removed_unnoticed(kind: Any) -> None:
    old = contract.schema(kind)
    for name, definition in old["$defs"].items():
        for field in definition["properties"]:
            new = copy.deepcopy(old)
            del new["$defs"][name]["properties"][field]
            new["$defs"][name]["required"] = [
                f for f in definition.get("required", ()) if f != field
            ]
            assert breaking(old, new), f"{name}.{field}"
