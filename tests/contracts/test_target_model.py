"""Every cell of the target model is mapped, and all that docs/target-model.md names exists."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from nastavnik_common.events import BY_NAME, activity, metrics, registry
from nastavnik_local.catalogue_docs import catalogue_markdown
from nastavnik_local.contract_files import SERVICES, openapi
from nastavnik_local.target_model import Row, TargetModelError, rows
from nastavnik_metrics.catalogue.loading import load

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "target-model.md").read_text()
HEADER = "| cell | entity | events | indicators | test |"
GOOD = (
    "| a | `registry:/programmes` `ProgrammeState.plan` | `programme.started` "
    "| `results.climate` `audience:staff` "
    "| `tests/contracts/test_target_model.py::test_a_name_that_leads_nowhere_is_found` |"
)
# The parts of the table with what each of them says, as it is told there.
MODEL = {
    "Regulatory basis: national project «Образование»": ("обучающихся", "педагогических"),
    "Mechanisms": (
        "нормативное оформление",
        "планирование и управление",
        "организация по выбранным формам",
        "ресурсное обеспечение",
        "психолого-педагогическое сопровождение",
    ),
    "Value component": ("наставники", "наставляемые", "передача опыта"),
    "Content component": (
        "с внешней средой",
        "с наставниками",
        "с наставляемыми",
        "с родителями",
        "с коллективом",
    ),
    "Technological component": (
        "интерактивные",
        "обучающие",
        "проектные",
        "консультации",
        "беседы",
        "тренинги",
        "семинары-практикумы",
        "информационные",
    ),
    "Assessment component": (
        "организационные параметры",
        "научно-методические параметры: methodical base",
        "научно-методические параметры: staffing",
        "личностные параметры: motivation",
        "личностные параметры: involvement",
    ),
    "Expected results": (
        "образовательных показателей",
        "спортивных показателей",
        "культурных показателей",
        "развитие личности",
        "траектории",
        "психологический климат",
        "сообщество",
        "среда педагога",
        "ресурсы и инвестиции",
    ),
}


def missing(row: Row) -> Iterator[str]:
    """The names of a row that lead nowhere."""
    yield from (name for name in row.entities if not is_entity(name))
    yield from (name for name in row.events if not is_event(name))
    yield from (name for name in row.indicators if not is_counted(name))
    yield from (name for name in row.tests if not is_test(name))


def is_entity(name: str) -> bool:
    """A route of a service's OpenAPI document, or a struct of the events and a field of it."""
    service, colon, path = name.partition(":")
    if colon:
        return service in SERVICES and path in routes(service)
    struct, _, field = name.partition(".")
    found = next(
        (getattr(m, struct) for m in (registry, activity, metrics) if hasattr(m, struct)), None
    )
    if not isinstance(found, type) or not issubclass(found, msgspec.Struct):
        return False
    return field in found.__struct_fields__


@cache
def routes(service: str) -> frozenset[str]:
    return frozenset(openapi(service)["paths"])


def is_event(name: str) -> bool:
    kind, _, verb = name.partition(".")
    return kind in BY_NAME and verb in BY_NAME[kind].verbs


def is_counted(name: str) -> bool:
    """A code of the catalogue, or a slice by audience or technology."""
    what, colon, word = name.partition(":")
    if not colon:
        return name in codes()
    words = {"audience": activity.Audience, "technology": activity.Technology}
    return what in words and word in get_args(words[what])


@cache
def codes() -> frozenset[str]:
    return frozenset(indicator.code for indicator in load().indicators)


def is_test(name: str) -> bool:
    path, _, function = name.partition("::")
    return function.startswith("test_") and function in functions(path)


@cache
def functions(path: str) -> frozenset[str]:
    file = ROOT / path
    if not path.startswith("tests/") or not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text())
    made = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, made))


@pytest.mark.parametrize("row", rows(TEXT), ids=lambda row: f"line {row.line}")
def test_all_that_a_row_names_exists(row: Row) -> None:
    assert list(missing(row)) == [], f"line {row.line}: {row.cell}"


def test_every_cell_of_the_model_has_a_row() -> None:
    found = rows(TEXT)
    assert {row.part for row in found} == set(MODEL)
    for part, cells in MODEL.items():
        told = [row.cell for row in found if row.part == part]
        for cell in cells:
            assert any(cell in text for text in told), f"{part}: {cell}"


def test_every_indicator_stands_for_something_in_the_model() -> None:
    assert {name for row in rows(TEXT) for name in row.indicators if ":" not in name} == codes()


def test_every_audience_and_technology_is_mapped() -> None:
    named = {name for row in rows(TEXT) for name in row.indicators}
    assert {f"audience:{word}" for word in get_args(activity.Audience)} <= named
    assert {f"technology:{word}" for word in get_args(activity.Technology)} <= named


def test_every_kind_of_event_is_mapped_or_is_about_the_tree() -> None:
    named = {name.partition(".")[0] for row in rows(TEXT) for name in row.events}
    assert BY_NAME.keys() - named == {"organization"}


def test_the_committed_catalogue_document_is_current() -> None:
    document = (ROOT / "docs" / "catalogue.md").read_text()
    assert document == catalogue_markdown()
    assert codes() <= {line.strip("# `") for line in document.splitlines()}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("registry:/programmes", "registry:/programs"),
        ("ProgrammeState.plan", "ProgrammeState.plans"),
        ("ProgrammeState.plan", "ProgramState.plan"),
        ("programme.started", "programme.begun"),
        ("results.climate", "results.weather"),
        ("audience:staff", "audience:everybody"),
        ("::test_a_name_that_leads_nowhere_is_found", "::test_nothing"),
        ("test_target_model.py", "test_no_such_file.py"),
    ],
)
def test_a_name_that_leads_nowhere_is_found(right: str, wrong: str) -> None:
    assert right in GOOD
    (row,) = rows(f"{HEADER}\n|---|---|---|---|---|\n{GOOD}\n")
    assert list(missing(row)) == []
    (row,) = rows(f"{HEADER}\n{GOOD.replace(right, wrong)}\n")
    assert list(missing(row)) == [next(name for name in _names(row) if wrong in name)]


def _names(row: Row) -> tuple[str, ...]:
    return (*row.entities, *row.events, *row.indicators, *row.tests)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("| a | `b` | `c` | `d` |", "4 columns"),
        ("| a | `b` | none | `d` | `e` |", "under events"),
    ],
)
def test_a_row_that_says_too_little_is_refused(line: str, reason: str) -> None:
    with pytest.raises(TargetModelError, match=reason):
        rows(f"{HEADER}\n{line}\n")
