"""The rules of counting, one test each: people, not pairs; distinct; at home; by census date …"""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import asyncpg
import httpx
import pytest

from nastavnik_common.events.activity import Attendance, Member, Period
from nastavnik_common.events.registry import Membership, Placement, TargetState
from tests.metrics.conftest import Tell
from tests.metrics.world import (
    TREE,
    ident,
    meeting,
    next_version,
    pair,
    person,
    school,
)

Figure = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def figure(client: httpx.AsyncClient) -> Figure:
    async def figure(
        name: str, code: str = "coverage.students", year: str = "2026/27", form: str = "all"
    ) -> dict[str, Any]:
        params = {"unit": str(ident(name)), "school_year": year, "form": form}
        response = await client.get(f"/indicators/{code}/values", params=params)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()["items"][0]
        return found

    return figure


def parts(value: dict[str, Any]) -> tuple[int, int]:
    return value["numerator"], value["denominator"]


async def test_people_are_counted_once_whatever_the_number_of_pairs_and_sessions(
    tell: Tell, figure: Figure
) -> None:
    await tell(*TREE, *(person(n, "school") for n in "abc"))
    await tell(pair("m1", "a", "b"), pair("m2", "a", "c"))
    await tell(meeting("x1", "m1", "a", "b"), meeting("x2", "m1", "a", "b"))
    await tell(meeting("x3", "m2", "a", "c"))
    assert parts(await figure("school")) == (3, 3)


async def test_age_is_of_31_december_so_only_the_birth_year_matters(
    tell: Tell, figure: Figure
) -> None:
    await tell(*TREE, person("nine", "school", birth_year=2017))
    await tell(person("ten", "school", birth_year=2016))
    await tell(person("nineteen", "school", birth_year=2007))
    await tell(
        person("twenty", "school", birth_year=2006), person("none", "school", birth_year=None)
    )
    assert parts(await figure("school", "coverage.mentees_10_19")) == (0, 2)
    assert parts(await figure("school", "coverage.mentors_15_19")) == (0, 1)
    assert parts(await figure("school", "coverage.mentees_10_19", "2027/28")) == (0, 2)


@pytest.mark.parametrize(
    ("since", "until", "counted"),
    [
        (None, None, True),
        (date(2026, 9, 1), None, True),
        (date(2027, 5, 31), None, True),
        (date(2027, 6, 1), None, False),
        (None, date(2027, 5, 31), False),
        (None, date(2027, 6, 1), True),
    ],
)
async def test_the_population_is_who_is_a_member_on_the_census_date(
    tell: Tell, figure: Figure, since: Any, until: Any, counted: bool
) -> None:
    home = Membership(organization_id=ident("school"), kind="student", since=since, until=until)
    await tell(*TREE, person("a", "school", memberships=(home,)))
    assert (await figure("school"))["denominator"] == int(counted)


async def test_home_is_the_primary_membership(tell: Tell, figure: Figure) -> None:
    at = [
        Membership(organization_id=ident("school"), kind="student", primary=True),
        Membership(organization_id=ident("other"), kind="student", primary=False),
    ]
    await tell(*TREE, person("a", "school", memberships=tuple(at)))
    assert (await figure("school"))["denominator"] == 1
    assert (await figure("other"))["denominator"] == 0


async def test_numerators_count_only_the_population(tell: Tell, figure: Figure) -> None:
    gone = Membership(organization_id=ident("school"), kind="student", until=date(2027, 1, 1))
    await tell(*TREE, person("left", "school", memberships=(gone,)), person("b", "school"))
    await tell(pair("m", "left", "b"), meeting("x", "m", "left", "b"))
    assert parts(await figure("school")) == (1, 1)


async def test_engaged_needs_a_held_session_the_person_attended(tell: Tell, figure: Figure) -> None:
    await tell(*TREE, person("a", "school"), person("b", "school"), pair("m", "a", "b"))
    await tell(meeting("x1", "m", "a", "b", status="cancelled"))
    assert parts(await figure("school")) == (0, 2)
    absent = Attendance(participant_id=ident("b"), attended=False)
    there = Attendance(participant_id=ident("a"), attended=True)
    await tell(meeting("x2", "m", attendance=(there, absent)))
    assert parts(await figure("school")) == (1, 2)


async def test_engaged_needs_a_mentorship_that_was_active_in_the_year(
    tell: Tell, figure: Figure
) -> None:
    await tell(*TREE, person("a", "school"), person("b", "school"))
    ended = Period(since=date(2025, 9, 1), until=date(2026, 9, 1))
    await tell(pair("m", "a", "b", periods=(ended,)), meeting("x", "m", "a", "b"))
    assert parts(await figure("school")) == (0, 2)
    await tell(meeting("y", "m", "a", "b", day=date(2026, 8, 31)))
    assert parts(await figure("school", year="2025/26")) == (2, 2)


async def test_a_curator_is_not_engaged(tell: Tell, figure: Figure) -> None:
    members = (Member(participant_id=ident("a"), role="curator"),)
    await tell(*TREE, person("a", "school"), pair("m", "a", "b", members=members))
    await tell(meeting("x", "m", "a"))
    assert parts(await figure("school")) == (0, 1)


async def test_roll_up_sums_numerators_and_denominators(tell: Tell, figure: Figure) -> None:
    await tell(*TREE, *(person(n, "school") for n in "abcd"), person("e", "other"))
    await tell(pair("m", "a", "e"), meeting("x", "m", "a", "e"))
    assert parts(await figure("east")) == (1, 4)
    assert parts(await figure("west")) == (1, 1)
    region = await figure("region")
    assert (parts(region), region["value"]) == ((2, 5), 40.0)
    assert parts(await figure("country")) == (2, 5)


async def test_all_forms_is_not_the_sum_of_the_forms(tell: Tell, figure: Figure) -> None:
    await tell(*TREE, person("a", "school"), person("b", "school"))
    own = {"form": "own_form", "federal_form": "teacher_teacher"}
    await tell(pair("m1", "a", "b"), pair("m2", "a", "b", **own))
    await tell(meeting("x1", "m1", "a", "b"), meeting("x2", "m2", "a"))
    assert parts(await figure("school")) == (2, 2)
    assert parts(await figure("school", form="student_student")) == (2, 2)
    assert parts(await figure("school", form="teacher_teacher")) == (1, 2)
    assert parts(await figure("school", form="own_form")) == (1, 2)


async def test_no_data_is_null_with_a_reason(tell: Tell, figure: Figure) -> None:
    await tell(*TREE)
    value = await figure("school")
    assert (value["value"], value["state"], value["reason"]) == (
        None,
        "no_data",
        "denominator.zero",
    )


async def test_a_corrected_session_counts_as_if_it_had_always_been_so(
    tell: Tell, figure: Figure
) -> None:
    await tell(*TREE, person("a", "school"), person("b", "school"), pair("m", "a", "b"))
    x = meeting("x", "m", "a", "b")
    await tell(x)
    moved = next_version(x, date=date(2025, 10, 1))
    await tell(moved)
    assert parts(await figure("school")) == (0, 2)
    await tell(next_version(moved, date=date(2026, 10, 2)))
    assert parts(await figure("school")) == (2, 2)


async def test_a_participant_who_moved_takes_the_figure_along(tell: Tell, figure: Figure) -> None:
    a = person("a", "school")
    await tell(*TREE, a, person("b", "school"), pair("m", "a", "b"), meeting("x", "m", "a", "b"))
    moved = (
        Membership(organization_id=ident("school"), kind="student", until=date(2026, 12, 1)),
        Membership(organization_id=ident("other"), kind="student", since=date(2026, 12, 1)),
    )
    await tell(next_version(a, memberships=moved))
    assert parts(await figure("school")) == (1, 1)
    assert parts(await figure("other")) == (1, 1)
    assert parts(await figure("school", year="2025/26")) == (0, 2)


async def test_a_school_that_moved_stands_where_it_stood_in_the_year(
    tell: Tell, figure: Figure
) -> None:
    placements = (
        Placement(parent_id=ident("east"), until=date(2026, 7, 1)),
        Placement(parent_id=ident("west"), since=date(2026, 7, 1)),
    )
    await tell(
        *TREE, person("a", "school"), school("school", "east", version=2, placements=placements)
    )
    assert parts(await figure("east", year="2025/26")) == (0, 1)
    assert parts(await figure("east")) == (0, 0)
    assert parts(await figure("west")) == (0, 1)


async def test_a_reclassified_school_leaves_the_figures_of_general_education(
    tell: Tell, figure: Figure
) -> None:
    await tell(*TREE, person("a", "school"))
    assert (await figure("east"))["denominator"] == 1
    await tell(school("school", "east", "vocational", version=2))
    assert (await figure("east"))["denominator"] == 0


async def test_pooled_is_the_sum_of_both(tell: Tell, figure: Figure) -> None:
    await tell(*TREE, person("a", "school"), person("t", "school", "teacher"))
    await tell(person("c", "club"), pair("m", "t", "a"), meeting("x", "m", "a"))
    assert parts(await figure("region")) == (1, 1)
    assert parts(await figure("region", "coverage.staff")) == (0, 1)
    assert parts(await figure("region", "coverage.pooled")) == (1, 2)


async def test_young_specialists_have_up_to_three_years_of_experience(
    tell: Tell, figure: Figure
) -> None:
    await tell(*TREE, person("new", "school", "teacher", teaching_since_year=2026))
    await tell(person("three", "school", "teacher", teaching_since_year=2023))
    await tell(person("four", "school", "teacher", teaching_since_year=2022))
    await tell(person("unknown", "school", "teacher"), pair("m", "four", "new"))
    await tell(meeting("x", "m", "four", "new"))
    assert parts(await figure("school", "coverage.young_specialists")) == (1, 2)
    assert parts(await figure("school", "coverage.young_specialists", "2025/26")) == (0, 2)


async def test_an_enterprise_counts_with_its_first_engaged_mentor(
    tell: Tell, figure: Figure
) -> None:
    await tell(*TREE, school("idle", "west", "enterprise"), person("a", "school"))
    await tell(*(person(n, "works", "employer_representative") for n in ("e1", "e2")))
    own = {"form": "employer_pupil", "federal_form": "employer_pupil"}
    await tell(pair("m1", "e1", "a", **own), meeting("x1", "m1", "e1", "a"))
    await tell(pair("m2", "e2", "a", **own), meeting("x2", "m2", "e2", "a"))
    value = await figure("region", "coverage.enterprises")
    assert (parts(value), value["target"]) == ((1, 2), 30.0)


async def test_the_target_of_the_nearest_unit_above_wins(
    tell: Tell, figure: Figure, connection: asyncpg.Connection
) -> None:
    await tell(*TREE, person("a", "school"))
    assert (await figure("school"))["target"] == 70.0
    fields: Any = {"version": 1, "indicator": "coverage.students", "school_year": 2026}
    all_units = TargetState(id=ident("t1"), basis_points=7100, **fields)
    of_region = TargetState(
        id=ident("t2"), basis_points=7250, organization_id=ident("region"), **fields
    )
    await tell(all_units)
    assert (await figure("school"))["target"] == 71.0
    await tell(of_region)
    assert (await figure("school"))["target"] == 72.5
    assert (await figure("country"))["target"] == 71.0
    assert (await figure("school", year="2027/28"))["target"] == 70.0


async def test_kinds_of_organisation_break_a_figure_down(
    tell: Tell, client: httpx.AsyncClient
) -> None:
    await tell(*TREE, person("a", "school"), person("c", "club"), person("d", "club"))
    params = {"unit": str(ident("region")), "school_year": "2026/27"}
    for kind, expected in (("general", 1), ("additional", 2), ("vocational", 0)):
        response = await client.get(
            "/indicators/coverage.mentees_10_19/values", params=params | {"kind": kind}
        )
        assert response.json()["items"][0]["denominator"] == expected
