"""From a state in the log, as JSON, to what the recount keeps of it."""

import sys
from datetime import date
from typing import Any

from nastavnik_local.recount_log import (
    Assessment,
    Contribution,
    Dated,
    Gathering,
    Mentorship,
    Organization,
    Person,
    Programme,
    Session,
    Survey,
)

State = dict[str, Any]


def organization(state: State) -> Organization:
    placements = [
        Dated(_day(p.get("since")), _day(p.get("until")), parent=p["parent_id"])
        for p in state.get("placements", ())
    ]
    return Organization(state["level"], state.get("kind"), state["name"], tuple(placements))


def person(state: State) -> Person:
    memberships = [
        Dated(
            _day(m.get("since")),
            _day(m.get("until")),
            sys.intern(m["organization_id"]),
            sys.intern(m["kind"]),
            m.get("primary", True),
        )
        for m in state.get("memberships", ())
    ]
    trainings = [
        (sys.intern(t.get("role", "mentor")), date.fromisoformat(t["completed_on"]))
        for t in state.get("trainings", ())
    ]
    born, teaching = state.get("birth_year"), state.get("teaching_since_year")
    return Person(born, teaching, tuple(memberships), tuple(trainings))


def mentorship(state: State) -> Mentorship:
    members = {sys.intern(m["participant_id"]): sys.intern(m["role"]) for m in state["members"]}
    periods = [
        (date.fromisoformat(p["since"]), _day(p.get("until"))) for p in state.get("periods", ())
    ]
    return Mentorship(
        sys.intern(state["form"]),
        sys.intern(state["federal_form"]),
        members,
        tuple(periods),
        sys.intern(state["organization_id"]),
        sys.intern(state["status"]),
        state.get("sessions_per_month"),
    )


def session(state: State) -> Session:
    attendance = [(sys.intern(a["participant_id"]), a["attended"]) for a in state["attendance"]]
    return Session(
        sys.intern(state["mentorship_id"]),
        sys.intern(state["status"]),
        date.fromisoformat(state["date"]),
        tuple(who for who, attended in attendance if attended),
        tuple(who for who, attended in attendance if not attended),
        state["duration_minutes"],
        _word(state.get("technology")),
        tuple(sys.intern(word) for word in state.get("audience", ())),
    )


def programme(state: State) -> Programme:
    documents = state.get("documents", ())
    return Programme(
        state["organization_id"],
        state["school_year"],
        tuple(state.get("mechanisms", ())),
        tuple(d["kind"] for d in documents if d["status"] == "approved"),
        tuple((date.fromisoformat(p["month"]), p["sessions"]) for p in state.get("plan", ())),
        state.get("curator_id"),
        state.get("methodical_materials", False),
    )


def survey(state: State) -> Survey:
    return Survey(
        sys.intern(state["respondent_id"]),
        sys.intern(state["respondent_role"]),
        sys.intern(state["stage"]),
        date.fromisoformat(state["date"]),
        {sys.intern(s["scale"]): s["value"] for s in state["scores"]},
        _word(state.get("mentorship_id")),
        sys.intern(state["status"]),
    )


def assessment(state: State) -> Assessment:
    return Assessment(
        sys.intern(state["subject_id"]),
        sys.intern(state["subject_kind"]),
        sys.intern(state["domain"]),
        sys.intern(state["instrument"]),
        sys.intern(state["stage"]),
        date.fromisoformat(state["date"]),
        state["value"],
        state.get("higher_is_better", True),
        _word(state.get("mentorship_id")),
        sys.intern(state["status"]),
    )


def contribution(state: State) -> Contribution:
    day = date.fromisoformat(state["date"])
    return Contribution(state["organization_id"], state["kopecks"], day, state["status"])


def gathering(state: State) -> Gathering:
    return Gathering(
        state["organization_id"],
        state["status"],
        date.fromisoformat(state["date"]),
        state["duration_minutes"],
        _word(state.get("technology")),
        tuple(state.get("audience", ())),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _word(text: str | None) -> str | None:
    return sys.intern(text) if text else None
