"""Facts about one person → that person's contribution to the cells. Pure.

People are counted, not pairs: whatever the number of mentorships and sessions, a person is in a
measure of a school year once, at the home organisation, or not at all.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from nastavnik_common.events.activity import MentorshipState, Role
from nastavnik_common.events.registry import Membership, ParticipantKind, ParticipantState
from nastavnik_metrics import years
from nastavnik_metrics.catalogue.model import ALL_FORMS, Catalogue, Engaged, Who
from nastavnik_metrics.years import Years


class Cell(NamedTuple):
    """Where a step is stored. The value of year Y is the sum of the steps at years ≤ Y."""

    organization_id: UUID
    school_year: int
    form: str
    measure: str


Contribution = dict[Cell, int]


class Engagement(NamedTuple):
    """One person's part in one mentorship."""

    forms: tuple[str, ...]
    role: Role
    active: tuple[Years, ...]
    held: Mapping[int, int]
    """School year → held sessions the person attended."""


class Home(NamedTuple):
    organization_id: UUID
    kind: ParticipantKind
    years: Years


def forms(mentorship: MentorshipState) -> tuple[str, ...]:
    """The cells a mentorship counts in: all forms, its federal form, and a region's own form."""
    return tuple(dict.fromkeys((ALL_FORMS, mentorship.federal_form, mentorship.form)))


def engagements(
    mentorship: MentorshipState, participant_id: UUID, held: Mapping[int, int]
) -> list[Engagement]:
    """The person's parts in the mentorship; none for one who is no member of it."""
    active = tuple(years.union(years.touched(p.since, p.until) for p in mentorship.periods))
    return [
        Engagement(forms(mentorship), member.role, active, held)
        for member in mentorship.members
        if member.participant_id == participant_id
    ]


def contribution(
    person: ParticipantState | None, parts: Sequence[Engagement], catalogue: Catalogue
) -> Contribution:
    """What the person adds to the cells; nothing while the person is not known."""
    if person is None:
        return {}
    steps: Counter[Cell] = Counter()
    at_home = homes(person.memberships, catalogue.census_day)
    met = {None: {ALL_FORMS: [years.ALWAYS]}} | {
        rule: _engaged(rule, parts) for rule in catalogue.rules
    }
    for measure in catalogue.measures:
        by_form = met[measure.engaged]
        for home in _counted(measure.who, person, at_home) if by_form else ():
            for form, spans in by_form.items():
                for span in spans:
                    both = years.meet(home.years, span)
                    if both[0] < both[1]:
                        _add(steps, home.organization_id, both, form, measure.code)
    return {cell: value for cell, value in steps.items() if value}


def homes(memberships: Iterable[Membership], census: tuple[int, int]) -> list[Home]:
    """Home by school year. Where primary memberships overlap, the later one wins."""
    primary = [m for m in memberships if m.primary]
    order = [(years.counted(m.since, m.until, census), str(m.organization_id), m) for m in primary]
    found: list[Home] = []
    taken: list[Years] = []
    for span, _, member in sorted(order, key=lambda o: (o[0][0], o[1]), reverse=True):
        rests = years.subtract(span, taken)
        found += [Home(member.organization_id, member.kind, rest) for rest in rests]
        taken.append(span)
    return found


def _engaged(rule: Engaged, parts: Sequence[Engagement]) -> dict[str, list[Years]]:
    """Form → the years in which the rule is met."""
    matching = [part for part in parts if part.role in rule.roles]
    found = {}
    for form in dict.fromkeys(form for part in matching for form in part.forms):
        chosen = [part for part in matching if form in part.forms]
        found[form] = _years_met(rule.min_sessions, chosen)
    return found


def _years_met(min_sessions: int, parts: Sequence[Engagement]) -> list[Years]:
    if min_sessions == 0:
        return years.union(span for e in parts for span in e.active)
    attended: Counter[int] = Counter()
    for e in parts:
        for year, held in e.held.items():
            if any(first <= year < end for first, end in e.active):
                attended[year] += held
    return years.union((y, y + 1) for y, held in attended.items() if held >= min_sessions)


def _counted(who: Who, person: ParticipantState, at_home: Sequence[Home]) -> list[Home]:
    """The homes, in the years in which the person is one the measure counts."""
    aged = years.aged(person.birth_year, who.age)
    experienced = years.aged(person.teaching_since_year, who.experience)
    found = []
    for home in at_home:
        span = years.meet(home.years, aged, experienced)
        if span[0] < span[1] and (not who.kinds or home.kind in who.kinds):
            found.append(home._replace(years=span))
    return found


def _add(steps: Counter[Cell], organization_id: UUID, span: Years, form: str, code: str) -> None:
    steps[Cell(organization_id, span[0], form, code)] += 1
    if span[1] < years.LAST:
        steps[Cell(organization_id, span[1], form, code)] -= 1
