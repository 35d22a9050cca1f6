"""The sample region: the same for a seed, of the promised size, and valid OneRoster."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from nastavnik_local.sample import (
    SCALES,
    Calendar,
    Region,
    ident,
    mentorships,
    outline,
    people,
    sessions,
    write_packages,
)
from nastavnik_registry.imports import check

TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def region() -> Region:
    return outline(seed=1, today=TODAY)


@pytest.fixture(scope="module")
def packages(region: Region, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_packages(region, tmp_path_factory.mktemp("sample"))


def test_packages_are_valid(packages: list[Path]) -> None:
    for path in packages:
        report = check(path)
        assert report.valid, f"{path.name}: {[str(finding) for finding in report.findings[:5]]}"


def test_packages_repeat_to_the_byte(packages: list[Path], tmp_path: Path) -> None:
    again = write_packages(outline(seed=1, today=TODAY), tmp_path)
    assert [p.name for p in again] == [p.name for p in packages]
    assert [p.read_bytes() for p in again] == [p.read_bytes() for p in packages]


def test_another_seed_is_another_region(packages: list[Path], tmp_path: Path) -> None:
    other = write_packages(outline(seed=2, today=TODAY), tmp_path)
    assert other[-1].read_bytes() != packages[-1].read_bytes()


def test_size_is_as_promised(region: Region) -> None:
    kinds = Counter(org.kind for place in region.municipalities for org in place.organizations)
    folk = [p for place in region.municipalities for p in people(region, place)]
    schools = {o.sid for m in region.municipalities for o in m.organizations if o.kind == "general"}
    assert kinds == SCALES["sample"].organizations
    assert sum(kinds.values()) == 60
    assert sum(person.grade > 0 for person in folk) == 12_000
    assert sum(p.teaching_since is not None and p.roles[0].org in schools for p in folk) == 900
    assert len({person.sid for person in folk}) == len(folk)
    assert sum(any(role.end for role in person.roles) for person in folk) > 50


def test_large_outline_adds_up() -> None:
    region = outline(seed=1, scale=SCALES["region"], today=TODAY)
    orgs = [org for place in region.municipalities for org in place.organizations]
    schools = [org for org in orgs if org.kind == "general"]
    assert len(schools) == 1_403
    assert sum(org.learners for org in schools) == 470_000
    assert sum(org.teachers for org in schools) == 40_500


def test_activity_repeats_and_keeps_the_rules(region: Region) -> None:
    place = region.municipalities[0]
    work = list(mentorships(region, place))
    assert work == list(mentorships(outline(seed=1, today=TODAY), place))
    assert len({ident(region, "mentorship", m.key) for m in work}) == len(work)
    for mentorship in work:
        members = [sid for sid, _ in mentorship.members]
        held = list(sessions(region, mentorship))
        days = [date.fromisoformat(session.starts_at[:10]) for session in held]
        assert len(set(members)) == len(members)
        assert len(set(days)) == len(days)
        assert bool(held) <= (mentorship.since is not None)
        assert all(mentorship.since and mentorship.since <= day < TODAY for day in days)
        if mentorship.ending:
            assert all(day < mentorship.ending.on for day in days)


def test_every_form_and_state_occurs(region: Region) -> None:
    work = [m for place in region.municipalities for m in mentorships(region, place)]
    assert len({m.form for m in work}) == 6
    assert {m.type for m in work} == {"pair", "group"}
    assert {m.ending.action for m in work if m.ending} == {"pause", "complete", "terminate"}
    assert any(m.since is None for m in work)


def test_coverage_lies_on_both_sides_of_the_target(region: Region) -> None:
    shares = []
    for place in region.municipalities:
        pupils = {person.sid for person in people(region, place) if person.grade}
        came = {
            sid
            for mentorship in mentorships(region, place)
            for session in sessions(region, mentorship)
            if session.held and session.fix != "voided"
            for sid, role in mentorship.members
            if role != "curator" and sid not in session.absent
        }
        shares.append(len(came & pupils) / len(pupils))
    assert min(shares) < 0.65
    assert max(shares) > 0.75


@pytest.mark.parametrize("month", range(1, 13))
def test_any_day_has_a_year_to_show(month: int) -> None:
    for day in (1, 2, 15, 28):
        calendar = Calendar.of(date(2026, month, day))
        assert calendar.last - calendar.first >= timedelta(days=13)
        assert calendar.last < date(2026, month, day)
