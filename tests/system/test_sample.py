"""The sample region: the same for a seed, of the promised size, and valid OneRoster."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from nastavnik_activity.domain import questionnaires
from nastavnik_activity.domain.questionnaires import Answer
from nastavnik_common.clock import school_year
from nastavnik_local.sample import (
    SCALES,
    Calendar,
    Municipality,
    Region,
    assessments,
    contributions,
    gatherings,
    headcounts,
    headcounts_of_region,
    ident,
    mentorships,
    outline,
    people,
    programmes,
    sessions,
    surveys,
    trainings,
    write_packages,
)
from nastavnik_local.sample_model import Session
from nastavnik_local.sample_records import Assessment, Survey
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


SHORT = date(2026, 9, 16)  # the year is two weeks old
DAYS = [TODAY, SHORT, date(2027, 7, 1)]


def records(region: Region, place: Municipality) -> list[object]:
    """All that is recorded beside mentorships and sessions."""
    work = list(mentorships(region, place))
    by_work = (programmes, trainings, surveys, assessments)
    by_place = (headcounts, contributions, gatherings)
    return [
        *(record for made in by_work for record in made(region, place, work)),
        *(record for made in by_place for record in made(region, place)),
    ]


def test_records_repeat(region: Region) -> None:
    place = region.municipalities[0]
    assert records(region, place) == records(outline(seed=1, today=TODAY), place)
    assert records(region, place) != records(outline(seed=2, today=TODAY), place)


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_surveys_keep_the_rules(today: date) -> None:
    region = outline(seed=1, today=today)
    found = 0
    for place in region.municipalities:
        work = list(mentorships(region, place))
        members = {m.key: dict(m.members) for m in work}
        homes = {p.sid: (p.roles[0].org, p.roles[0].role) for p in people(region, place)}
        once: dict[tuple[object, str], Survey] = {}
        for survey in surveys(region, place, work):
            found += 1
            form = questionnaires.shipped()[survey.questionnaire, survey.version]
            assert questionnaires.scores(
                form, tuple(Answer(item=i, value=v) for i, v in survey.answers)
            )
            assert survey.stage in form.stages
            if survey.mentorship:
                assert members[survey.mentorship][survey.respondent] in form.respondents
            else:
                assert homes[survey.respondent] == (survey.org, survey.role)
                assert survey.role in form.respondents
            about = survey.mentorship or survey.org, survey.respondent, survey.questionnaire
            assert (about, survey.stage) not in once
            once[about, survey.stage] = survey
            assert region.calendar.first <= survey.on <= region.calendar.last
        for (who, stage), survey in once.items():
            if stage == "exit" and (who, "entry") in once:
                assert once[who, "entry"].on <= survey.on
    assert found > 500


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_assessments_keep_the_rules(today: date) -> None:
    region = outline(seed=1, today=today)
    domains = set()
    for place in region.municipalities:
        work = list(mentorships(region, place))
        members = {m.key: dict(m.members) for m in work}
        once: dict[tuple[object, str], Assessment] = {}
        for one in assessments(region, place, work):
            domains.add((one.domain, one.subject_kind))
            if one.mentorship:
                assert members[one.mentorship][one.subject] == one.subject_kind
            else:
                assert (one.subject, one.subject_kind) == (one.org, "organization")
            about = one.mentorship or one.org, one.subject, one.domain, one.instrument
            assert (about, one.stage) not in once
            once[about, one.stage] = one
            assert region.calendar.first <= one.on <= region.calendar.last
            if one.stage == "after" and one.domain != "trajectory":
                assert once[about, "before"].on <= one.on
    assert {domain for domain, _ in domains} >= {"educational", "personal", "trajectory"}
    assert {kind for _, kind in domains} >= {"mentee", "organization"}


def test_all_that_the_target_model_asks_of_programmes(region: Region) -> None:
    found = [
        programme
        for place in region.municipalities
        for programme in programmes(region, place, list(mentorships(region, place)))
    ]
    assert len({programme.org for programme in found}) == len(found) == 48
    mechanisms = {code for programme in found for code in programme.mechanisms}
    assert mechanisms == {"formalisation", "planning", "forms", "resources", "support"}
    assert {len(p.documents) for p in found} > {6}, "some lack documents"
    assert any(d.status == "draft" for p in found for d in p.documents)
    for programme in found:
        months = [month for month, _ in programme.plan]
        assert {school_year(month) for month in months} == {region.calendar.year}
        assert len(set(months)) == len(months)
        approved = [d.kind for d in programme.documents if d.status == "approved"]
        assert len(set(approved)) == len(approved)
        assert any(due for _, due in programme.plan) == bool(programme.forms)


def test_headcounts_are_often_what_the_registry_has(region: Region) -> None:
    equal = total = 0
    for place in region.municipalities:
        sizes = {o.sid: {"students": o.learners, "staff": o.teachers} for o in place.organizations}
        counts = list(headcounts(region, place))
        schools = [count for count in counts if count.unit in sizes]
        for population in ("students", "staff"):
            below = sum(c.headcount for c in schools if c.population == population)
            assert [below] == [
                c.headcount for c in counts if (c.unit, c.population) == (place.sid, population)
            ]
        equal += sum(sizes[c.unit][c.population] == c.headcount for c in schools)
        total += len(schools)
    assert 0 < total - equal < total / 2
    assert [c.unit for c in headcounts_of_region(region, "region")] == ["region", "region"]


def test_every_audience_and_technology_is_met(region: Region) -> None:
    held = [g for place in region.municipalities for g in gatherings(region, place)]
    assert {word for g in held for word in g.audience} == {
        *("external", "mentors", "mentees", "parents", "staff")
    }
    assert {g.held for g in held} == {True, False}
    met = {s.technology for s in sessions_of(region)} | {g.technology for g in held}
    assert len(met) == 8


def sessions_of(region: Region) -> list[Session]:
    return [
        session
        for place in region.municipalities
        for mentorship in mentorships(region, place)
        for session in sessions(region, mentorship)
    ]


def test_partners_give_and_mentors_learn(region: Region) -> None:
    for place in region.municipalities:
        known = {person.sid for person in people(region, place)}
        schools = {org.sid for org in place.organizations if org.kind == "general"}
        partners = {o.sid for o in place.organizations if o.kind in ("enterprise", "ngo")}
        given = list(contributions(region, place))
        assert partners <= {c.partner for c in given}
        assert all(c.org in schools and float(c.amount) > 0 for c in given)
        assert all(c.partner is None or c.partner in known | partners for c in given)
        work = list(mentorships(region, place))
        mentors = {sid for m in work for sid, role in m.members if role == "mentor"}
        trained = [training.person for training in trainings(region, place, work)]
        assert set(trained) <= mentors & known
        assert len(set(trained)) == len(trained)
