"""The recount's own figures, on logs so small that every number can be worked out by hand."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from nastavnik_common.events import activity, registry
from nastavnik_local.recount import INDICATORS, Change, Figure, recount
from nastavnik_local.recount_compare import compare, served_figures
from nastavnik_local.recount_log import (
    Assessment,
    Contribution,
    Dated,
    Gathering,
    Log,
    Mentorship,
    Organization,
    Person,
    Programme,
    Session,
    Survey,
)
from nastavnik_local.recount_read import TOPICS, keep
from nastavnik_local.recount_time import last_whole_month
from nastavnik_local.recount_value import effect_size, value_of

SEPTEMBER, OCTOBER, NOVEMBER = 0, 1, 2


@pytest.fixture
def log() -> Log:
    """A region, a school and an enterprise: the pupils ann and bob, the teacher tom, the parent
    pam, and emma of the enterprise, who mentors ann since 10 September, with tom as curator."""
    under = (Dated(None, None, parent="region"),)
    return Log(
        organizations={
            "region": Organization("region", None, "R", ()),
            "school": Organization("organization", "general", "S", under),
            "works": Organization("organization", "enterprise", "W", under),
        },
        persons={
            "ann": person("school", "student", born=2012),
            "bob": person("school", "student", born=2009),
            "tom": person("school", "teacher", teaching=2025),
            "pam": person("school", "parent"),
            "emma": person("works", "employer_representative"),
        },
        mentorships={"m": mentorship()},
        sessions={"s": Session("m", "held", date(2026, 10, 1), ("emma", "ann", "tom"))},
    )


def person(
    home: str, kind: str, born: int | None = None, teaching: int | None = None, **more: Any
) -> Person:
    lived = Dated(more.get("since"), more.get("until"), home, kind, primary=True)
    return Person(born, teaching, (lived,), more.get("trainings", ()))


def mentorship(*periods: tuple[date, date | None], **more: Any) -> Mentorship:
    members = {"emma": "mentor", "ann": "mentee", "tom": "curator"}
    fields: dict[str, Any] = {"organization": "school", "members": members, **more}
    return Mentorship(
        "factory_pupil",
        "employer_pupil",
        periods=periods or ((date(2026, 9, 10), None),),
        **fields,
    )


def figure(log: Log, indicator: str, unit: str = "region", at: str = "all", **when: int) -> Figure:
    return recount(log, when.pop("year", 2026), **when)[indicator, at, unit]


def parts(log: Log, indicator: str, unit: str = "region", at: str = "all", **when: int) -> Any:
    """Numerator and denominator."""
    return figure(log, indicator, unit, at, **when)[:2]


# -- persons ------------------------------------------------------------------------------------


def test_people_are_counted_at_home(log: Log) -> None:
    assert parts(log, "coverage.students") == (1, 2)
    assert parts(log, "coverage.staff") == (0, 1)  # a curator does not count
    assert parts(log, "coverage.pooled", "school") == (1, 3)
    assert parts(log, "coverage.mentees_10_19") == (1, 2)
    assert parts(log, "coverage.mentors_15_19") == (0, 1)
    assert parts(log, "coverage.young_specialists") == (0, 1)
    assert parts(log, "coverage.enterprises") == (1, 1)
    assert parts(log, "coverage.enterprises", "school") == (0, 0)


def test_slices_have_the_whole_population_as_their_denominator(log: Log) -> None:
    for form in ("factory_pupil", "employer_pupil"):
        assert parts(log, "coverage.students", at=form) == (1, 2)
    assert parts(log, "coverage.students", at="student_student") == (0, 2)


@pytest.mark.parametrize(
    "session",
    [
        Session("m", "voided", date(2026, 10, 1), ("ann",)),
        Session("m", "cancelled", date(2026, 10, 1), ("ann",)),
        Session("m", "held", date(2026, 8, 31), ("ann",)),
        Session("m", "held", date(2027, 9, 1), ("ann",)),
        Session("m", "held", date(2026, 10, 1), ("bob",)),
        Session("m", "held", date(2026, 10, 1), (), ("ann",)),
        Session("elsewhere", "held", date(2026, 10, 1), ("ann",)),
    ],
)
def test_what_does_not_engage(log: Log, session: Session) -> None:
    log.sessions = {"s": session}
    assert parts(log, "coverage.students") == (0, 2)


def test_engaged_by_the_end_of_the_month(log: Log) -> None:
    assert parts(log, "coverage.students", month=SEPTEMBER) == (0, 2)
    assert parts(log, "coverage.students", month=OCTOBER) == (1, 2)


def test_a_mentorship_active_on_no_day_of_the_year_engages_nobody(log: Log) -> None:
    log.mentorships["m"] = mentorship((date(2025, 9, 1), date(2026, 9, 1)))
    assert parts(log, "coverage.students") == (0, 2)
    log.mentorships["m"] = mentorship((date(2025, 9, 1), date(2026, 9, 2)))
    assert parts(log, "coverage.students") == (1, 2)


def test_the_population_is_of_the_census_day(log: Log) -> None:
    log.persons["ann"] = person("school", "student", born=2012, until=date(2027, 5, 31))
    assert parts(log, "coverage.students") == (0, 1)
    log.persons["ann"] = person("school", "student", born=2012, since=date(2027, 5, 31))
    assert parts(log, "coverage.students") == (1, 2)


def test_a_unit_stands_where_it_is_placed_on_the_census_day(log: Log) -> None:
    moved = (Dated(None, date(2027, 5, 31), parent="region"),)
    log.organizations["school"] = Organization("organization", "general", "S", moved)
    assert parts(log, "coverage.students") == (0, 0)
    assert parts(log, "coverage.students", "school") == (1, 2)
    assert parts(log, "coverage.students", year=2025) == (0, 2)


def test_mentors_trained_not_later_than_the_month(log: Log) -> None:
    assert parts(log, "methodical.mentors_trained") == (0, 1)
    trainings = (("mentor", date(2026, 11, 1)),)
    log.persons["emma"] = person("works", "employer_representative", trainings=trainings)
    assert parts(log, "methodical.mentors_trained", month=OCTOBER) == (0, 1)
    assert parts(log, "methodical.mentors_trained", month=NOVEMBER) == (1, 1)
    assert parts(log, "methodical.mentors_trained", at="student_student") == (0, 0)
    curators = (("curator", date(2020, 1, 1)),)
    log.persons["emma"] = person("works", "employer_representative", trainings=curators)
    assert parts(log, "methodical.mentors_trained") == (0, 1)


def test_load_is_engaged_mentees_by_engaged_mentors(log: Log) -> None:
    log.mentorships["n"] = mentorship(members={"emma": "mentor", "bob": "mentee"})
    log.sessions["t"] = Session("n", "held", date(2026, 10, 2), ("emma", "bob"))
    assert parts(log, "methodical.load") == (2, 1)
    assert parts(log, "methodical.load", "school") == (2, 0)


def test_trajectories_of_engaged_mentees(log: Log) -> None:
    def drawn_up(**more: Any) -> Assessment:
        fields = {"day": date(2026, 11, 1), "value": 100, **more}
        return Assessment("ann", "mentee", "trajectory", "plan", "after", **fields)

    log.assessments["a"] = drawn_up()
    assert parts(log, "results.trajectories", month=OCTOBER) == (0, 1)
    assert parts(log, "results.trajectories", month=NOVEMBER) == (1, 1)
    assert parts(log, "results.trajectories", at="employer_pupil") == (1, 1)
    for wrong in (drawn_up(value=99), drawn_up(status="voided")):
        log.assessments["a"] = wrong
        assert parts(log, "results.trajectories") == (0, 1)
    log.assessments["a"] = drawn_up(day=date(2020, 1, 1))  # of an earlier year
    assert parts(log, "results.trajectories") == (1, 1)


def test_the_community_are_alumni_parents_and_employers_in_any_role(log: Log) -> None:
    assert parts(log, "results.community") == (1, 0)  # emma
    log.mentorships["m"] = mentorship(members={"emma": "mentor", "ann": "mentee", "pam": "curator"})
    log.sessions["t"] = Session("m", "held", date(2026, 10, 2), ("pam",))
    assert parts(log, "results.community") == (2, 0)
    assert parts(log, "results.community", "school", "factory_pupil") == (1, 0)


# -- surveys ------------------------------------------------------------------------------------


def survey(who: str, stage: str, day: date, score: int, **more: Any) -> Survey:
    role, scale = more.pop("role", "mentee"), more.pop("scale", "satisfaction")
    return Survey(who, role, stage, day, {scale: score}, **more)


def test_the_latest_exit_response_of_the_year_tells_who_is_satisfied(log: Log) -> None:
    log.surveys = {
        "a": survey("ann", "exit", date(2026, 11, 1), 900),
        "b": survey("ann", "exit", date(2026, 12, 1), 699),
        "c": survey("bob", "exit", date(2026, 11, 1), 700),
        "d": survey("bob", "exit", date(2027, 9, 1), 0),
    }
    assert parts(log, "satisfaction.mentees", month=OCTOBER) == (0, 0)  # no respondents yet
    assert parts(log, "satisfaction.mentees", month=NOVEMBER) == (2, 2)
    assert parts(log, "satisfaction.mentees") == (1, 2)
    assert parts(log, "satisfaction.mentees", year=2027) == (0, 1)
    assert parts(log, "satisfaction.mentors") == (0, 0)


def test_of_two_exit_responses_of_one_day_the_later_id_counts(log: Log) -> None:
    log.surveys["a"] = survey("ann", "exit", date(2026, 11, 1), 700)
    log.surveys["b"] = survey("ann", "exit", date(2026, 11, 1), 600)
    assert parts(log, "satisfaction.mentees") == (0, 1)


@pytest.mark.parametrize(
    "response",
    [
        survey("ann", "exit", date(2026, 11, 1), 900, status="voided"),
        survey("ann", "entry", date(2026, 11, 1), 900),
        survey("ann", "exit", date(2026, 11, 1), 900, scale="climate"),
        survey("ann", "exit", date(2026, 11, 1), 900, role="parent"),
        survey("nobody", "exit", date(2026, 11, 1), 900),
    ],
)
def test_who_is_no_respondent(log: Log, response: Survey) -> None:
    log.surveys["a"] = response
    assert parts(log, "satisfaction.mentees") == (0, 0)


def test_teachers_tell_of_their_environment(log: Log) -> None:
    log.surveys["a"] = survey(
        "tom", "exit", date(2026, 11, 1), 750, role="teacher", scale="environment"
    )
    assert parts(log, "results.teacher_environment") == (1, 1)


def test_surveys_that_name_a_mentorship_count_in_its_forms(log: Log) -> None:
    log.surveys["a"] = survey("ann", "exit", date(2026, 11, 1), 800, mentorship="m")
    log.surveys["b"] = survey("ann", "exit", date(2026, 12, 1), 100)
    for form in ("factory_pupil", "employer_pupil"):
        assert parts(log, "satisfaction.mentees", at=form) == (1, 1)
    assert parts(log, "satisfaction.mentees", at="student_student") == (0, 0)
    assert parts(log, "satisfaction.mentees") == (0, 1)  # the later one, of no form


def test_motivation_changes_from_the_first_entry_to_the_last_exit(log: Log) -> None:
    log.surveys = {
        "a": survey("ann", "entry", date(2025, 10, 1), 400, scale="motivation"),  # another year
        "b": survey("ann", "entry", date(2026, 10, 1), 600, scale="motivation"),
        "c": survey("ann", "exit", date(2026, 11, 1), 500, scale="motivation"),
        "d": survey("ann", "exit", date(2026, 12, 1), 700, scale="motivation"),
        "e": survey("bob", "entry", date(2026, 12, 2), 700, scale="motivation"),
        "f": survey("bob", "exit", date(2026, 12, 1), 800, scale="motivation"),  # no pair
    }
    assert figure(log, "personal.motivation") == Figure(300, 1, Change(1, 300, 90_000))
    november = figure(log, "personal.motivation", month=NOVEMBER)
    assert november == Figure(100, 1, Change(1, 100, 10_000))
    log.surveys["e"] = survey("bob", "entry", date(2026, 12, 1), 900, scale="motivation")
    assert figure(log, "personal.motivation") == Figure(200, 2, Change(2, 200, 100_000))


def test_climate_is_told_by_any_role(log: Log) -> None:
    log.surveys = {
        "a": survey("tom", "entry", date(2026, 10, 1), 500, role="teacher", scale="climate"),
        "b": survey("tom", "exit", date(2026, 11, 1), 650, role="mentor", scale="climate"),
    }
    assert figure(log, "results.climate") == Figure(150, 1, Change(1, 150, 22_500))


# -- assessments --------------------------------------------------------------------------------


def assessed(stage: str, day: date, value: int, **more: Any) -> Assessment:
    fields = {"subject": "ann", "subject_kind": "mentee", "domain": "educational", **more}
    instrument = fields.pop("instrument", "marks")
    return Assessment(instrument=instrument, stage=stage, day=day, value=value, **fields)


def test_improved_is_a_change_above_nothing(log: Log) -> None:
    log.assessments = {
        "a": assessed("before", date(2026, 5, 1), 350),
        "b": assessed("after", date(2026, 11, 1), 410),
    }
    assert figure(log, "results.educational") == Figure(1, 1, Change(1, 60, 3_600))
    assert parts(log, "results.sports") == (0, 0)
    log.assessments["c"] = assessed("after", date(2026, 12, 1), 350)
    assert figure(log, "results.educational") == Figure(0, 1, Change(1, 0, 0))
    log.assessments["a"] = assessed("before", date(2026, 12, 2), 350)
    assert figure(log, "results.educational") == Figure(0, 0, Change(0, 0, 0))


def test_less_may_be_better(log: Log) -> None:
    log.assessments = {
        "a": assessed("before", date(2026, 10, 1), 1500, domain="sports", higher_is_better=False),
        "b": assessed("after", date(2026, 11, 1), 1400, domain="sports", higher_is_better=False),
    }
    assert figure(log, "results.sports") == Figure(1, 1, Change(1, 100, 10_000))


def test_of_several_instruments_the_latest_after_with_a_pair_counts(log: Log) -> None:
    log.assessments = {
        "a": assessed("before", date(2026, 10, 1), 300, instrument="marks"),
        "b": assessed("after", date(2026, 11, 1), 400, instrument="marks"),
        "c": assessed("before", date(2026, 10, 1), 300, instrument="tests"),
        "d": assessed("after", date(2026, 11, 1), 250, instrument="tests"),
        "e": assessed("after", date(2026, 12, 1), 900, instrument="alone"),
    }
    assert figure(log, "results.educational") == Figure(0, 1, Change(1, -50, 2_500))
    log.assessments["b"] = assessed("after", date(2026, 11, 2), 400, instrument="marks")
    assert figure(log, "results.educational") == Figure(1, 1, Change(1, 100, 10_000))


def test_an_assessed_organisation_counts_at_itself(log: Log) -> None:
    for subject, kind in (("school", "organization"), ("emma", "mentor")):
        fields = {"subject": subject, "subject_kind": kind, "domain": "cultural"}
        log.assessments[f"{subject} 1"] = assessed("before", date(2026, 10, 1), 100, **fields)
        log.assessments[f"{subject} 2"] = assessed("after", date(2026, 11, 1), 300, **fields)
    assert parts(log, "results.cultural", "school") == (1, 1)
    assert figure(log, "results.cultural") == Figure(2, 2, Change(2, 400, 80_000))


def test_assessments_that_name_a_mentorship_count_in_its_forms(log: Log) -> None:
    fields = {"domain": "personal", "mentorship": "m"}
    log.assessments["a"] = assessed("before", date(2026, 10, 1), 100, **fields)
    log.assessments["b"] = assessed("after", date(2026, 11, 1), 200, **fields)
    assert parts(log, "results.personality", at="employer_pupil") == (1, 1)
    log.assessments["a"] = assessed("before", date(2026, 10, 1), 100, domain="personal")
    assert parts(log, "results.personality", at="employer_pupil") == (0, 0)
    assert parts(log, "results.personality") == (1, 1)


# -- mentorships --------------------------------------------------------------------------------


def test_completed_in_the_year_of_the_last_active_day(log: Log) -> None:
    until_november = (date(2026, 9, 10), date(2026, 11, 1))  # the last day is 31 October
    log.mentorships = {
        "m": mentorship(until_november, status="completed"),
        "n": mentorship(until_november, status="terminated"),
        "o": mentorship(until_november, status="paused"),
        "p": mentorship((date(2025, 9, 10), date(2026, 9, 1)), status="completed"),
        "q": mentorship(status="active"),
    }
    assert parts(log, "organisational.completion", month=SEPTEMBER) == (0, 0)
    assert parts(log, "organisational.completion", month=OCTOBER) == (1, 2)
    assert parts(log, "organisational.completion", at="employer_pupil") == (1, 2)
    assert parts(log, "organisational.completion", "works") == (0, 0)
    assert parts(log, "organisational.completion", year=2025) == (1, 1)


def test_regular_is_at_or_above_the_dosage(log: Log) -> None:
    days = [date(2026, 9, 11), date(2026, 10, 1), date(2026, 10, 2)]
    log.mentorships["m"] = mentorship(sessions_per_month=2)
    log.sessions = {str(day): Session("m", "held", day, ()) for day in days}
    # 21 days: too young; 52 days, 2 × 52 ÷ 30 = 3.46: 3 are due; 82 days, 5.46: 5 are due
    assert parts(log, "organisational.regularity", month=SEPTEMBER) == (0, 0)
    assert parts(log, "organisational.regularity", month=OCTOBER) == (1, 1)
    assert parts(log, "organisational.regularity", month=NOVEMBER) == (0, 1)
    log.mentorships["m"] = mentorship()  # once a month: 2 are due
    assert parts(log, "organisational.regularity", month=NOVEMBER) == (1, 1)


@pytest.mark.parametrize(("until", "judged"), [(date(2026, 10, 9), 0), (date(2026, 10, 10), 1)])
def test_regularity_is_judged_from_thirty_active_days_of_the_year(
    log: Log, until: date, judged: int
) -> None:
    log.mentorships["m"] = mentorship(
        (date(2026, 1, 1), date(2026, 9, 1)), (date(2026, 9, 10), until)
    )
    assert parts(log, "organisational.regularity") == (judged, judged)


def test_attendance_is_of_all_entries(log: Log) -> None:
    log.sessions["t"] = Session("m", "held", date(2026, 10, 8), ("emma",), ("ann", "tom"))
    log.sessions["u"] = Session("m", "voided", date(2026, 10, 9), (), ("emma", "ann"))
    assert parts(log, "personal.attendance") == (4, 6)
    assert parts(log, "personal.attendance", "works") == (0, 0)  # where the mentorship is run


# -- programmes, gatherings, contributions --------------------------------------------------------

DOCUMENTS = ("order", "regulation", "roadmap", "curator_appointment", "pairs_order")


def test_programmes_of_the_year(log: Log) -> None:
    log.programmes = {
        "p": Programme("school", 2026, ("planning", "support"), DOCUMENTS, (), "tom", True),
        "q": Programme("works", 2026, ("forms",), DOCUMENTS[:4], (), None, True),
        "r": Programme("school", 2025, (), DOCUMENTS),
    }
    assert parts(log, "organisational.formalised") == (1, 2)
    assert parts(log, "organisational.mechanisms") == (3, 10)
    assert parts(log, "methodical.base") == (1, 2)
    assert parts(log, "organisational.formalised", month=SEPTEMBER) == (1, 2)
    assert parts(log, "organisational.formalised", at="employer_pupil") == (0, 2)


def test_the_plan_up_to_a_month_of_its_own(log: Log) -> None:
    plan = ((date(2026, 9, 1), 2), (date(2026, 10, 1), 3), (date(2026, 11, 1), 4))
    log.programmes["p"] = Programme("school", 2026, plan=plan)
    assert parts(log, "organisational.plan_fulfilment", month=OCTOBER) == (1, 5)
    assert parts(log, "organisational.plan_fulfilment", plan_month=SEPTEMBER) == (0, 2)
    assert parts(log, "organisational.plan_fulfilment", plan_month=-1) == (0, 0)
    assert parts(log, "organisational.plan_fulfilment") == (1, 9)
    assert parts(log, "organisational.plan_fulfilment", at="employer_pupil") == (1, 9)


def test_the_last_whole_month_before_the_watermark() -> None:
    assert last_whole_month(datetime(2026, 11, 24, tzinfo=UTC), 2026) == OCTOBER
    assert last_whole_month(datetime(2026, 11, 1, tzinfo=UTC), 2026) == OCTOBER
    assert last_whole_month(datetime(2026, 9, 30, tzinfo=UTC), 2026) == -1
    assert last_whole_month(datetime(2027, 1, 5, tzinfo=UTC), 2026) == 3
    assert last_whole_month(datetime(2027, 9, 1, tzinfo=UTC), 2026) == 11
    assert last_whole_month(datetime(2026, 8, 1, tzinfo=UTC), 2026) == -1
    assert last_whole_month(None, 2026) == -1


def test_sessions_and_gatherings_by_technology_and_audience(log: Log) -> None:
    fields: dict[str, Any] = {"minutes": 45, "technology": "talk", "audience": ("parents",)}
    log.sessions["s"] = Session("m", "held", date(2026, 10, 1), ("ann",), **fields)
    log.gatherings = {
        "g": Gathering("school", "held", date(2026, 11, 1), 90, "talk", ("parents", "staff")),
        "h": Gathering("school", "cancelled", date(2026, 11, 1), 90, "project"),
    }
    assert parts(log, "activity.sessions") == (2, 0)
    assert parts(log, "activity.hours") == (135, 0)
    assert parts(log, "activity.hours", month=OCTOBER) == (45, 0)
    assert parts(log, "activity.hours", at="technology:talk") == (135, 0)
    assert parts(log, "activity.sessions", at="audience:parents") == (2, 0)
    assert parts(log, "activity.sessions", at="audience:staff") == (1, 0)
    assert parts(log, "activity.sessions", at="employer_pupil") == (1, 0)  # the session alone
    with pytest.raises(KeyError):
        parts(log, "activity.sessions", at="technology:project")


def test_contributions_that_are_valid(log: Log) -> None:
    log.contributions = {
        "a": Contribution("school", 1_250_050, date(2026, 11, 1)),
        "b": Contribution("school", 100, date(2026, 11, 1), "voided"),
        "c": Contribution("works", 50, date(2026, 9, 1)),
    }
    assert parts(log, "results.resources") == (1_250_100, 0)
    assert parts(log, "results.contributions", "school") == (1, 0)
    assert parts(log, "results.contributions", month=OCTOBER) == (1, 0)


# -- values, reading, comparing -----------------------------------------------------------------


def test_values() -> None:
    assert value_of("coverage.students", Figure(1, 3)) == 33.33
    assert value_of("coverage.students", Figure(0, 0)) is None
    assert value_of("methodical.load", Figure(7, 3)) == 2.33
    assert value_of("personal.motivation", Figure(-250, 2)) == -1.25
    assert value_of("results.resources", Figure(1_250_050, 0)) == 12_500.5
    assert value_of("activity.hours", Figure(100, 0)) == 1.67
    assert value_of("activity.sessions", Figure(0, 0)) == 0


def test_effect_size_is_mean_by_deviation() -> None:
    # changes 1, 2, 3: the mean is 2, the deviation 1
    assert effect_size(Change(3, 600, 140_000)) == pytest.approx(2.0)
    assert effect_size(Change(1, 100, 10_000)) is None
    assert effect_size(Change(2, 200, 20_000)) is None  # both 1


IDS = [UUID(int=n) for n in range(1, 5)]
SCHOOL, PAIR, WHO, WHAT = map(str, IDS)


@pytest.mark.parametrize(
    ("table", "state", "kept"),
    [
        (
            "persons",
            registry.ParticipantState(
                id=IDS[3],
                version=1,
                birth_year=2012,
                memberships=(registry.Membership(organization_id=IDS[0], kind="student"),),
                trainings=(registry.Training(completed_on=date(2026, 9, 1)),),
            ),
            person(SCHOOL, "student", 2012, trainings=(("mentor", date(2026, 9, 1)),)),
        ),
        (
            "mentorships",
            activity.MentorshipState(
                id=IDS[3],
                version=1,
                organization_id=IDS[0],
                type="pair",
                form="own",
                federal_form="employer_pupil",
                status="paused",
                members=(activity.Member(participant_id=IDS[2], role="mentor"),),
                periods=(activity.Period(since=date(2026, 9, 1)),),
                sessions_per_month=2,
            ),
            Mentorship(
                "own",
                "employer_pupil",
                {WHO: "mentor"},
                ((date(2026, 9, 1), None),),
                SCHOOL,
                "paused",
                2,
            ),
        ),
        (
            "sessions",
            activity.SessionState(
                id=IDS[3],
                version=1,
                mentorship_id=IDS[1],
                status="held",
                starts_at=datetime(2026, 10, 1, 9, tzinfo=UTC),
                date=date(2026, 10, 1),
                duration_minutes=45,
                technology="talk",
                audience=("mentees",),
                attendance=(activity.Attendance(participant_id=IDS[2], attended=False),),
            ),
            Session(PAIR, "held", date(2026, 10, 1), (), (WHO,), 45, "talk", ("mentees",)),
        ),
        (
            "programmes",
            registry.ProgrammeState(
                id=IDS[3],
                version=1,
                organization_id=IDS[0],
                school_year=2026,
                mechanisms=("forms",),
                documents=(
                    registry.ProgrammeDocument(
                        kind="order", status="approved", date=date(2026, 9, 1)
                    ),
                    registry.ProgrammeDocument(
                        kind="roadmap", status="draft", date=date(2026, 9, 1)
                    ),
                ),
                plan=(registry.PlannedMonth(month=date(2026, 10, 1), sessions=3),),
                curator_id=IDS[2],
                methodical_materials=True,
            ),
            Programme(SCHOOL, 2026, ("forms",), ("order",), ((date(2026, 10, 1), 3),), WHO, True),
        ),
        (
            "surveys",
            activity.SurveyState(
                id=IDS[3],
                version=1,
                organization_id=IDS[0],
                mentorship_id=IDS[1],
                respondent_id=IDS[2],
                respondent_role="mentee",
                questionnaire="q",
                questionnaire_version=1,
                stage="exit",
                date=date(2026, 11, 1),
                status="valid",
                scores=(activity.Score(scale="climate", value=700),),
            ),
            Survey(WHO, "mentee", "exit", date(2026, 11, 1), {"climate": 700}, PAIR),
        ),
        (
            "assessments",
            activity.AssessmentState(
                id=IDS[3],
                version=1,
                organization_id=IDS[0],
                subject_kind="mentee",
                subject_id=IDS[2],
                domain="sports",
                instrument="run",
                stage="after",
                date=date(2026, 11, 1),
                value=1400,
                higher_is_better=False,
                status="voided",
            ),
            Assessment(
                WHO,
                "mentee",
                "sports",
                "run",
                "after",
                date(2026, 11, 1),
                1400,
                False,
                status="voided",
            ),
        ),
        (
            "contributions",
            activity.ContributionState(
                id=IDS[3],
                version=1,
                organization_id=IDS[0],
                partner_kind="alumnus",
                kind="money",
                kopecks=50,
                date=date(2026, 11, 1),
                status="valid",
            ),
            Contribution(SCHOOL, 50, date(2026, 11, 1)),
        ),
        (
            "gatherings",
            activity.GatheringState(
                id=IDS[3],
                version=1,
                organization_id=IDS[0],
                status="held",
                date=date(2026, 11, 1),
                duration_minutes=90,
                audience=("staff",),
            ),
            Gathering(SCHOOL, "held", date(2026, 11, 1), 90, None, ("staff",)),
        ),
    ],
)
def test_what_is_kept_of_a_state_as_the_contract_has_it(table: str, state: Any, kept: Any) -> None:
    log, topic = Log({}, {}, {}, {}), f"nastavnik.{'participants' if table == 'persons' else table}"
    keep(log, {}, Record(topic, 1, msgspec.json.encode(state)))
    assert getattr(log, table) == {WHAT: kept}


def test_the_newest_state_of_a_record_is_kept() -> None:
    log, versions = Log({}, {}, {}, {}), dict[str, int]()
    state = b'{"organization_id": "school", "kopecks": 5, "date": "2026-11-01", "status": "valid"}'
    keep(log, versions, Record("nastavnik.contributions", 2, state))
    keep(log, versions, Record("nastavnik.contributions", 1, None))
    assert log.contributions == {WHAT: Contribution("school", 5, date(2026, 11, 1))}
    keep(log, versions, Record("nastavnik.contributions", 3, None))
    assert log.contributions == {}


class Record:
    """A record as the Kafka client hands it over."""

    def __init__(self, topic: str, version: int, value: bytes | None) -> None:
        self.topic, self.key, self.value = topic, WHAT.encode(), value
        self.headers = (("ce_sequence", str(version).encode()),)


def test_every_topic_has_a_place_in_the_log(log: Log) -> None:
    assert all(hasattr(log, table) for table, _ in TOPICS.values())


def _metrics(log: Log, **wrong: Any) -> httpx.AsyncClient:
    """A metrics API whose cards agree with the recount, but for motivation in `all`."""
    figures = recount(log, 2026, plan_month=OCTOBER)

    def card(request: httpx.Request) -> httpx.Response:
        unit = request.url.path.split("/")[2]
        values = [
            _value(indicator, at, unit, figure)
            for (indicator, at, of), figure in figures.items()
            if of == unit and at in ("all", "employer_pupil", "factory_pupil")
        ]
        for value in values:
            if (value["indicator"], value["form"]) == ("personal.motivation", "all"):
                value.update(wrong)
        return httpx.Response(200, json={"values": values})

    return httpx.AsyncClient(transport=httpx.MockTransport(card), base_url="http://metrics")


def _value(indicator: str, at: str, unit: str, figure: Figure) -> dict[str, Any]:
    change: dict[str, Any] | None = None
    if figure.change is not None:
        pairs, total, squares = figure.change
        size = effect_size(figure.change)
        change = {"count": pairs, "sum": total, "squares": squares, "effect_size": size}
    return {
        "indicator": indicator,
        "form": at,
        "unit_id": unit,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "value": value_of(indicator, figure),
        "change": change,
        "watermark": "2026-11-24T10:00:00Z",
    }


async def test_figures_that_agree(log: Log) -> None:
    async with _metrics(log) as metrics:
        served, watermark = await served_figures(metrics, log, "2026/27")
    assert watermark == datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert len(served) == len(INDICATORS) * 3 * 3
    figures = recount(log, 2026, plan_month=last_whole_month(watermark, 2026))
    assert compare(figures, served, log) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"numerator": 1},
        {"denominator": 1},
        {"value": 0.5},
        {"change": {"count": 1, "sum": 0, "squares": 0, "effect_size": None}},
        {"change": {"count": 0, "sum": 0, "squares": 0, "effect_size": 0.5}},
    ],
)
async def test_every_part_of_a_figure_is_compared(log: Log, wrong: dict[str, Any]) -> None:
    async with _metrics(log, **wrong) as metrics:
        served, _ = await served_figures(metrics, log, "2026/27")
    found = compare(recount(log, 2026, plan_month=OCTOBER), served, log)
    assert [d.indicator for d in found] == ["personal.motivation"] * 3


async def test_what_is_missing_on_either_side_is_a_difference(log: Log) -> None:
    async with _metrics(log) as metrics:
        served, _ = await served_figures(metrics, log, "2026/27")
    del served["coverage.students", "all", "works"]  # 0/0, but `all` is never left out
    del served["coverage.students", "employer_pupil", "school"]  # 1/2
    del served["coverage.students", "employer_pupil", "works"]  # nobody: may be left out
    served["coverage.staff", "unheard_of", "school"] = served["coverage.staff", "all", "school"]
    found = compare(recount(log, 2026, plan_month=OCTOBER), served, log)
    assert [(d.form, d.unit, d.served, d.recounted) for d in found] == [
        ("all", "W", "missing", "0/0 = None"),
        ("employer_pupil", "S", "missing", "1/2 = 50.0"),
        ("unheard_of", "S", "0/1 = 0.0", "missing"),
    ]
