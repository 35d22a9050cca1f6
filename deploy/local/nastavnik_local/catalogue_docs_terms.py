"""Measures and terms of the catalogue in words."""

from collections.abc import Iterable, Sequence

from nastavnik_metrics.catalogue.model import (
    Change,
    Engaged,
    Measure,
    Programmes,
    Responded,
    Term,
    Who,
)

_ORGANIZATIONS = {
    "general": "general education",
    "vocational": "vocational education",
    "higher": "higher education",
    "additional": "additional education",
    "enterprise": "enterprises",
    "ngo": "NGOs",
    "other": "other organisations",
}
_MENTORSHIPS = {
    "active": "mentorships active in the year",
    "completed": "mentorships completed in the year",
    "terminated": "mentorships terminated in the year",
    "regular": "mentorships with at least as many held sessions as their dosage asks for",
    "judged": "mentorships active for 30 days of the year or longer",
    "too_young": "mentorships active for fewer than 30 days of the year",
}
_SESSIONS = {
    "count": "held sessions",
    "minutes": "minutes of held sessions",
    "attended": "attendances at held sessions",
    "expected": "expected attendances at held sessions",
}
_GATHERINGS = {"count": "held gatherings", "minutes": "minutes of held gatherings"}
_CONTRIBUTIONS = {"count": "valid contributions", "kopecks": "kopecks of valid contributions"}
_TAKES = {
    "pairs": "subjects with a before and an after",
    "improved": "subjects whose change is an improvement",
    "sum": "sum of the changes",
    "squares": "sum of the squares of the changes",
}


def term_in_words(term: Term, measure: Measure | None) -> str:
    where = _where(term.organizations)
    if measure is None:
        return f"organisations{where}"
    counted = f"{measure_in_words(measure)} (`{measure.code}`)"
    if term.count == "organizations_with":
        return f"organisations{where} with at least one of: {counted}"
    times = f"{term.times} × " if term.times > 1 else ""
    return f"{times}{counted}{where}"


def measure_in_words(measure: Measure) -> str:
    if measure.who is not None:
        return _persons(measure.who, measure.engaged)
    if measure.responded is not None:
        return _respondents(measure.responded)
    if measure.change is not None:
        return _change(measure.change)
    if measure.programmes is not None:
        return _programmes(measure.programmes)
    return _things(measure)


def _things(measure: Measure) -> str:
    if measure.mentorships is not None:
        return _MENTORSHIPS[measure.mentorships]
    if measure.sessions is not None:
        return _SESSIONS[measure.sessions]
    if measure.gatherings is not None:
        return _GATHERINGS[measure.gatherings]
    if measure.contributions is not None:
        return _CONTRIBUTIONS[measure.contributions]
    raise ValueError(f"measure {measure.code} is of a sort that has no words yet")


def _persons(who: Who, engaged: Engaged | None) -> str:
    parts = [f"persons{f' of kind {_either(who.kinds)}' if who.kinds else ''}"]
    if who.age is not None:
        parts.append(f"aged {who.age[0]}–{who.age[1]}")
    if who.experience is not None:
        parts.append(f"with {who.experience[0]}–{who.experience[1]} years of experience")
    if who.trained:
        parts.append("trained as mentors")
    if who.trajectory:
        parts.append("with an individual trajectory")
    if engaged is not None:
        parts.append(f"engaged as {_either(engaged.roles)}")
        parts.append(f"(held sessions attended: {engaged.min_sessions} or more)")
    return " ".join(parts)


def _respondents(asked: Responded) -> str:
    found = f"{_either(asked.roles)} respondents at {asked.stage}, scale {asked.scale}"
    if asked.at_least is None:
        return found
    return f"{found}, latest score {asked.at_least / 100:.2f} or more"


def _change(change: Change) -> str:
    about = f"scale {change.scale}" if change.scale else f"domain {change.domain}"
    roles = f" of {_either(change.roles)} respondents" if change.roles else ""
    return f"{_TAKES[change.take]}, {about}{roles}"


def _programmes(programmes: Programmes) -> str:
    found = {
        "count": "programmes",
        "mechanisms": "mechanisms in place in programmes",
        "planned_sessions": "sessions planned in programmes",
    }[programmes.take]
    if programmes.documents:
        found += f" with an approved {_both(programmes.documents)}"
    if programmes.base:
        found += " with methodical materials and a curator"
    return found


def _where(kinds: Sequence[str]) -> str:
    return f", of {_both(_ORGANIZATIONS[kind] for kind in kinds)}" if kinds else ""


def _either(names: Iterable[str]) -> str:
    return _listed(names, "or")


def _both(names: Iterable[str]) -> str:
    return _listed(names, "and")


def _listed(names: Iterable[str], word: str) -> str:
    *first, last = (name.replace("_", " ") for name in names)
    return f"{', '.join(first)} {word} {last}" if first else last
