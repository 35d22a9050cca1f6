"""Short histories, each of which a certain mistake of the fold would get wrong."""

from datetime import date
from typing import Any

from msgspec.structs import replace

from nastavnik_common import events
from nastavnik_common.events.activity import (
    AssessmentState,
    Attendance,
    ContributionState,
    Period,
    Score,
    SurveyState,
)
from nastavnik_common.events.registry import (
    Membership,
    ProgrammeDocument,
    ProgrammeState,
    Training,
)
from tests.metrics.world import TREE, ident, meeting, next_version, pair, person

Fact = tuple[Any, int, Any]
"""(kind, version, state; or the id of what was deleted)"""


def told(*states: Any) -> list[Fact]:
    found = []
    for state in states:
        kind = next(k for k in events.KINDS if isinstance(state, k.state))
        found.append((kind, state.version, state))
    return found


ANNA, BORIS, VERA = (person(name, "school") for name in ("anna", "boris", "vera"))
PAIR = pair("m1", "anna", "boris")
MET = meeting("x1", "m1", "anna", "boris")
PEOPLE = told(*TREE, ANNA, BORIS, VERA, PAIR)
OTHER_PAIR = pair("m2", "anna", "vera")


def home(place: str, since: date | None, until: date | None) -> Membership:
    return Membership(organization_id=ident(place), kind="student", since=since, until=until)


def survey(name: str, day: date, value: int, **more: Any) -> SurveyState:
    fields: dict[str, Any] = {
        "version": 1,
        "organization_id": ident("school"),
        "mentorship_id": ident("m1"),
        "respondent_id": ident("boris"),
        "respondent_role": "mentee",
        "questionnaire": "any",
        "questionnaire_version": 1,
        "stage": "exit",
        "status": "valid",
        "scores": (
            Score(scale="satisfaction", value=value),
            Score(scale="motivation", value=value),
        ),
        **more,
    }
    return SurveyState(id=ident(name), date=day, **fields)


def mark(name: str, day: date, stage: Any, value: int, *, higher: bool = True) -> AssessmentState:
    return AssessmentState(
        id=ident(name),
        version=1,
        organization_id=ident("school"),
        mentorship_id=ident("m1"),
        subject_kind="mentee",
        subject_id=ident("boris"),
        domain="educational",
        instrument="marks",
        stage=stage,
        date=day,
        value=value,
        higher_is_better=higher,
        status="valid",
    )


MOVED = replace(
    ANNA,
    memberships=(home("school", None, date(2027, 2, 1)), home("other", date(2027, 2, 1), None)),
)
OVERLAPPING = (
    Period(since=date(2026, 9, 1), until=date(2026, 9, 20)),
    Period(since=date(2026, 9, 5), until=date(2026, 9, 25)),
)
ENDED = (Period(since=date(2026, 9, 1), until=date(2026, 10, 15)),)
MONEY = ContributionState(
    id=ident("c1"),
    version=1,
    organization_id=ident("school"),
    partner_kind="organization",
    kind="money",
    kopecks=100,
    date=date(2026, 10, 1),
    status="valid",
)
PROGRAMME = ProgrammeState(
    id=ident("g1"),
    version=1,
    organization_id=ident("school"),
    school_year=2026,
    documents=tuple(
        ProgrammeDocument(kind=kind, status="draft", date=date(2026, 9, 1))
        for kind in ("order", "regulation", "roadmap", "curator_appointment", "pairs_order")
    ),
)
HALF = replace(
    MET, attendance=(*MET.attendance[:1], Attendance(participant_id=ident("boris"), attended=False))
)

HISTORIES: dict[str, list[list[Fact]]] = {
    # batches, one transaction each
    "somebody had not come after all": [PEOPLE, told(MET), told(next_version(HALF))],
    "one of two did not come": [PEOPLE, told(HALF)],
    "a session is put to another year": [
        PEOPLE,
        told(replace(MET, date=date(2026, 12, 1))),
        told(next_version(MET, date=date(2025, 12, 1))),
    ],
    "a pair is run elsewhere": [
        [*PEOPLE, *told(MET)],
        told(next_version(PAIR, organization_id=ident("other"))),
    ],
    "a pair is of another form": [
        [*PEOPLE, *told(MET)],
        told(next_version(PAIR, form="own_form")),
    ],
    "somebody is in two pairs": [
        PEOPLE,
        told(OTHER_PAIR, MET, meeting("x2", "m2", "anna", "vera")),
    ],
    "somebody moves in February": [
        told(*TREE, MOVED, BORIS, PAIR, MET),
    ],
    "somebody has two homes at once": [
        told(
            *TREE,
            replace(
                ANNA,
                memberships=(home("school", None, None), home("other", date(2026, 9, 1), None)),
            ),
            BORIS,
            PAIR,
            MET,
        )
    ],
    "a year ago": [
        told(
            *TREE,
            ANNA,
            BORIS,
            replace(PAIR, periods=(Period(since=date(2025, 9, 1)),)),
            replace(MET, date=date(2025, 10, 1)),
        )
    ],
    "a pair ends in October": [
        told(*TREE, ANNA, BORIS, replace(PAIR, periods=ENDED, status="completed"), MET)
    ],
    "periods overlap": [told(*TREE, ANNA, BORIS, replace(PAIR, periods=OVERLAPPING), MET)],
    "four sessions a month were due": [
        told(
            *TREE,
            ANNA,
            BORIS,
            replace(PAIR, sessions_per_month=4),
            *(
                meeting(f"x{m}", "m1", "anna", "boris", day=date(2026, m, 10))
                for m in (9, 10, 11, 12)
            ),
        )
    ],
    "a session is voided": [PEOPLE, told(MET), told(next_version(MET, status="voided"))],
    "a session is deleted": [
        PEOPLE,
        told(MET),
        [(events.SESSION, 2, MET.id)],
    ],
    "a correction overtakes": [PEOPLE, told(next_version(HALF), MET)],
    "first content, then not": [
        PEOPLE,
        told(survey("u1", date(2026, 10, 1), 900), survey("u2", date(2026, 12, 1), 100)),
    ],
    "marks got better": [
        PEOPLE,
        told(
            mark("a1", date(2026, 9, 10), "before", 300),
            mark("a2", date(2026, 12, 1), "after", 400),
        ),
    ],
    "marks were taken twice before": [
        PEOPLE,
        told(
            mark("a1", date(2026, 9, 10), "before", 300),
            mark("a3", date(2026, 10, 10), "before", 500),
            mark("a2", date(2026, 12, 1), "after", 400),
        ),
    ],
    "less is better": [
        PEOPLE,
        told(
            mark("a1", date(2026, 9, 10), "before", 300, higher=False),
            mark("a2", date(2026, 12, 1), "after", 400, higher=False),
        ),
    ],
    "trained in the spring": [
        told(
            *TREE,
            replace(ANNA, trainings=(Training(completed_on=date(2027, 3, 1)),)),
            BORIS,
            PAIR,
            MET,
        )
    ],
    "one is nineteen": [
        told(*TREE, replace(ANNA, birth_year=2007), replace(BORIS, birth_year=2016), PAIR, MET)
    ],
    "all documents are drafts": [[*PEOPLE, *told(PROGRAMME)]],
    "a contribution is voided": [PEOPLE, told(MONEY), told(next_version(MONEY, status="voided"))],
}
