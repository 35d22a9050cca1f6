"""The event contract as its users see it: schemas, examples, headers, the AsyncAPI document."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import msgspec
import pytest

from nastavnik_common import compatibility, contract, events
from nastavnik_common.events import BY_TOPIC, DELETED, KINDS, Kind, envelope
from nastavnik_common.events.base import State

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "schemas" / "examples"
RELEASED = DOCS / "schemas" / "released"
PARSER = ROOT / ".cache" / "asyncapi"

TYPES = [kind.type(verb) for kind in KINDS for verb in kind.verbs]
PERSONAL = {
    "family_name", "given_name", "middle_name", "first_name", "last_name", "full_name",
    "patronymic", "birth_date", "birthday", "email", "phone", "address", "contacts", "snils",
    "passport", "inn", "login", "username", "external_id", "external_ids", "sourced_id", "comment",
}  # fmt: skip


@cache
def example(event_type: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EXAMPLES / f"{event_type}.json").read_text())
    return document


def kind_of(event_type: str) -> Kind[State]:
    return BY_TOPIC[example(event_type)["topic"]]


def header_pairs(event_type: str) -> list[tuple[str, bytes]]:
    headers: dict[str, str] = example(event_type)["headers"]
    return [(name, value.encode()) for name, value in headers.items()]


def as_json(document: dict[str, Any]) -> dict[str, Any]:
    """As a reader of the file gets it: lists, no tuples."""
    found: dict[str, Any] = json.loads(json.dumps(document))
    return found


def property_names(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for value in node.values():
            yield from property_names(value)
    elif isinstance(node, list):
        for item in node:
            yield from property_names(item)


def test_every_event_type_has_an_example_and_no_other_has() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.json")) == sorted(TYPES)


@pytest.mark.parametrize("event_type", TYPES)
def test_an_example_is_what_the_code_publishes(event_type: str) -> None:
    """Decoded, and published again by the code: the same topic, key, headers and JSON."""
    document, kind = example(event_type), kind_of(event_type)
    parsed = envelope.parse(header_pairs(event_type))
    verb = event_type.split(".")[2]
    shared: dict[str, Any] = {
        "time": parsed.time,
        "partition_key": UUID(parsed.partition_key),
        "schema_base_url": str(parsed.schema).rsplit("/", 1)[0],
        "correlation_id": parsed.correlation_id,
    }
    if verb == DELETED:
        event = events.deleted(kind, parsed.subject, parsed.version, **shared)
    else:
        state = msgspec.json.decode(json.dumps(document["data"]), type=kind.state)
        event = events.happened(kind, verb, state, **shared)
    assert event.topic == document["topic"]
    assert str(event.envelope.subject) == document["key"]
    assert dict(event.envelope.headers()) == dict(header_pairs(event_type))
    assert (event.value is None) == (verb == DELETED)
    assert json.loads(event.value or b"null") == document["data"]


@pytest.mark.parametrize("event_type", TYPES)
def test_headers_parse_and_agree_with_the_value(event_type: str) -> None:
    document = example(event_type)
    parsed = envelope.parse(header_pairs(event_type))
    assert parsed.type == event_type
    assert parsed.id == f"{document['key']}:{parsed.version}"
    if document["data"] is not None:
        assert document["data"]["id"] == document["key"]
        assert document["data"]["version"] == parsed.version


@pytest.mark.parametrize("event_type", TYPES)
def test_an_example_satisfies_the_published_schemas(event_type: str) -> None:
    """The value its JSON Schema, value and headers what the AsyncAPI document says of them."""
    document, kind = example(event_type), kind_of(event_type)
    if document["data"] is not None:
        _validate(document["data"], contract.schemas()[kind.schema_name])
    components = contract.asyncapi()["components"]
    message = components["messages"][f"{kind.name}.{event_type.split('.')[2]}"]
    _validate(document["headers"], message["headers"])
    payload = message["payload"]
    _validate(document["data"], components["schemas"][kind.name] if "$ref" in payload else payload)


def _validate(value: Any, schema: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    validator(schema, format_checker=validator.FORMAT_CHECKER).validate(value)


def test_what_belongs_to_a_mentorship_is_partitioned_with_it() -> None:
    for event_type in (t for t in TYPES if kind_of(t).name == "session"):
        document = example(event_type)
        assert document["headers"]["ce_partitionkey"] != document["key"]
        if document["data"] is not None:
            key = document["headers"]["ce_partitionkey"]
            assert key == document["data"]["mentorship_id"]


@pytest.mark.parametrize("name", sorted(kind.schema_name for kind in KINDS))
def test_the_committed_schema_is_current(name: str) -> None:
    committed = json.loads((DOCS / "schemas" / name).read_text())
    assert committed == as_json(contract.schemas()[name]), "run `make docs` and commit"


def test_the_committed_asyncapi_document_is_current() -> None:
    committed = json.loads((DOCS / "asyncapi.json").read_text())
    assert committed == as_json(contract.asyncapi()), "run `make docs` and commit"


@pytest.mark.parametrize("name", sorted(kind.schema_name for kind in KINDS))
def test_no_schema_breaks_what_was_released(name: str) -> None:
    """docs/schemas/released holds the schemas of the last release and changes with a release."""
    released = json.loads((RELEASED / name).read_text())
    broken = compatibility.breaking(released, as_json(contract.schemas()[name]))
    assert not broken, "needs a new version of the type: " + "; ".join(map(str, broken))


def test_nothing_released_disappeared() -> None:
    assert {p.name for p in RELEASED.glob("*.json")} == {kind.schema_name for kind in KINDS}


def test_no_event_carries_personal_data() -> None:
    for name, schema in contract.schemas().items():
        assert not PERSONAL & set(property_names(schema)), name
    for kind in KINDS:
        names = set(property_names(contract.schema(kind)))
        assert ("name" in names) == (kind.name == "organization"), kind.name


def test_the_search_for_personal_fields_sees_nested_ones() -> None:
    schema = msgspec.json.schema(
        msgspec.defstruct("S", [("who", msgspec.defstruct("P", ["email"]))])
    )
    assert set(property_names(schema)) & PERSONAL


def test_a_tombstone_needs_no_value_and_other_events_do() -> None:
    for event_type in TYPES:
        assert (example(event_type)["data"] is None) == event_type.endswith(f".{DELETED}.v1")


# stdin: {name: document}; stdout: {name: [what is wrong]}
_CHECK = """
import fs from 'node:fs';
import { createRequire } from 'node:module';
const { Parser } = createRequire(process.argv[1] + '/')('@asyncapi/parser');
const found = {};
for (const [name, text] of Object.entries(JSON.parse(fs.readFileSync(0, 'utf8')))) {
  const { document, diagnostics } = await new Parser().parse(JSON.stringify(text));
  found[name] = diagnostics.filter((d) => d.severity === 0)
    .map((d) => d.path.join('.') + ': ' + d.message);
  if (!document && found[name].length === 0) found[name].push('not parsed');
}
console.log(JSON.stringify(found));
"""


@pytest.fixture(scope="session")
def asyncapi_parser() -> Path:
    """Where the reference parser is installed; fetched once with npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("no node and npm here to run the AsyncAPI parser with")
    if not (PARSER / "node_modules" / "@asyncapi" / "parser").is_dir():
        PARSER.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-fund", "--no-audit", "--prefix", str(PARSER)]
        try:
            done = subprocess.run(
                [*command, "@asyncapi/parser@3.6.6"],
                check=False,
                capture_output=True,
                text=True,
                timeout=120,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            pytest.skip("npm did not bring the AsyncAPI parser in 120 s")
        if done.returncode:
            pytest.skip(f"npm brings no AsyncAPI parser: {done.stderr.strip()[-200:]}")
    return PARSER


def test_the_reference_parser_accepts_the_asyncapi_documents(asyncapi_parser: Path) -> None:
    """The whole and each service's; and refuses one with a reference to nothing."""
    documents = {service: contract.asyncapi(service) for service in contract.SERVICES}
    documents["whole"] = contract.asyncapi()
    documents["broken"] = as_json(contract.asyncapi())
    messages = documents["broken"]["channels"]["session"]["messages"]
    messages["logged"]["$ref"] = "#/components/messages/nothing"
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", _CHECK, str(asyncapi_parser)],
        check=False,
        input=json.dumps(documents),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("broken")
    assert found == {name: [] for name in documents if name != "broken"}
