"""Published figures give away nothing about fewer than five people."""

from typing import Any

import httpx
import pytest

from tests.metrics.conftest import Tell
from tests.metrics.world import TREE, ident, meeting, pair, person, school

ONE_MORE = [school(f"s{i}", "east") for i in range(3)]


def pupils(home: str, count: int) -> list[Any]:
    return [person(f"{home}-{i}", home) for i in range(count)]


def engaged(home: str, count: int) -> list[Any]:
    """The first so many pupils of the school, by pairs, each with a session."""
    found: list[Any] = []
    for i in range(0, count, 2):
        a, b = f"{home}-{i}", f"{home}-{min(i + 1, count - 1)}"
        found += [pair(f"{home}m{i}", a, b), meeting(f"{home}x{i}", f"{home}m{i}", a, b)]
    return found


async def shown(client: httpx.AsyncClient, name: str, code: str = "coverage.students") -> Any:
    params = {
        "unit": str(ident(name)),
        "children": "true",
        "public": "true",
        "school_year": "2026/27",
    }
    items = (await client.get(f"/indicators/{code}/values", params=params)).json()["items"]
    return {i["unit_name"]: (i["state"], i["numerator"], i["denominator"]) for i in items}


HIDDEN = ("suppressed", 0, 0)


@pytest.fixture
async def _world(tell: Tell) -> None:
    await tell(*TREE, *ONE_MORE)
    for home, count, part in (("s0", 20, 8), ("s1", 30, 10), ("s2", 40, 20)):
        await tell(*pupils(home, count), *engaged(home, part))


@pytest.mark.usefixtures("_world")
async def test_large_figures_are_shown(client: httpx.AsyncClient) -> None:
    found = await shown(client, "east")
    assert found["s0"] == ("ok", 8, 20)
    assert found["east"] == ("ok", 38, 90)


@pytest.mark.usefixtures("_world")
async def test_a_small_one_takes_the_smallest_of_the_others_along(
    tell: Tell, client: httpx.AsyncClient
) -> None:
    await tell(*pupils("school", 25), *engaged("school", 2))
    found = await shown(client, "east")
    assert found["school"] == HIDDEN
    assert found["s0"] == HIDDEN, "or the two could be had by subtraction"
    assert found["s1"][0] == found["s2"][0] == found["east"][0] == "ok"


@pytest.mark.usefixtures("_world")
async def test_what_is_left_over_counts_as_well(tell: Tell, client: httpx.AsyncClient) -> None:
    await tell(*pupils("school", 20), *engaged("school", 18))
    found = await shown(client, "east")
    assert found["school"] == HIDDEN, "two who do not take part"


async def test_an_only_child_hides_its_parent(tell: Tell, client: httpx.AsyncClient) -> None:
    await tell(*TREE, *pupils("school", 25), *engaged("school", 2))
    found = await shown(client, "east")
    assert found["school"] == found["east"] == HIDDEN


async def test_organisations_are_no_people(tell: Tell, client: httpx.AsyncClient) -> None:
    await tell(*TREE)
    assert (await shown(client, "west", "coverage.enterprises"))["west"] == ("ok", 0, 1)


async def one(client: httpx.AsyncClient, name: str) -> Any:
    """A unit asked for by itself."""
    params = {"unit": str(ident(name)), "public": "true", "school_year": "2026/27"}
    answer = await client.get("/indicators/coverage.students/values", params=params)
    (item,) = answer.json()["items"]
    return item["state"], item["numerator"], item["denominator"]


@pytest.mark.usefixtures("_world")
async def test_what_one_question_hides_no_other_tells(
    tell: Tell, client: httpx.AsyncClient
) -> None:
    await tell(*pupils("school", 25), *engaged("school", 2))
    assert await one(client, "s0") == HIDDEN, "it was taken along with the small one"
    assert await one(client, "east") == ("ok", 40, 115)


async def test_a_unit_hidden_by_those_below_it_is_not_left_over_above(
    tell: Tell, client: httpx.AsyncClient
) -> None:
    """An only child hides its parent, and that one those above it."""
    await tell(*TREE, *pupils("school", 25), *engaged("school", 2))
    assert await one(client, "region") == await one(client, "country") == HIDDEN
    await tell(*pupils("other", 30), *engaged("other", 10))
    assert await one(client, "region") == ("ok", 12, 55)
    assert await one(client, "west") == await one(client, "other") == HIDDEN


@pytest.mark.usefixtures("_world")
async def test_a_hidden_unit_is_not_the_sum_of_those_below_it(
    tell: Tell, client: httpx.AsyncClient
) -> None:
    """West is small, so east goes along; and so does one school of east."""
    await tell(*pupils("other", 25), *engaged("other", 2))
    found = await shown(client, "east")
    assert found["east"] == found["s0"] == HIDDEN
    assert found["s1"] == ("ok", 10, 30)
