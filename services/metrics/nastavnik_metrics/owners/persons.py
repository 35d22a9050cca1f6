"""Facts about one person → what the person adds to the cells, at home."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from nastavnik_common.events.activity import AssessmentState, MentorshipState, Role, SurveyState
from nastavnik_common.events.registry import Membership, ParticipantKind, ParticipantState
from nastavnik_metrics import months
from nastavnik_metrics.catalogue.model import ALL, Catalogue, Engaged, Measure, Who
from nastavnik_metrics.cells import Adding, Cells
from nastavnik_metrics.months import Span
from nastavnik_metrics.owners import changes, responses
from nastavnik_metrics.owners.slices import forms

TRAJECTORY = 100


class Engagement(NamedTuple):
    """One person's part in one mentorship."""

    slices: tuple[str, ...]
    role: Role
    active: tuple[Span, ...]
    held: Mapping[int, int]
    """School month → held sessions the person attended."""


class Home(NamedTuple):
    organization_id: UUID
    kind: ParticipantKind
    span: Span


class Facts(NamedTuple):
    """All that is known of a person. Surveys and assessments: the valid ones; `mentorships` at
    least those they name."""

    person: ParticipantState | None
    engagements: Sequence[Engagement] = ()
    surveys: Sequence[SurveyState] = ()
    assessments: Sequence[AssessmentState] = ()
    mentorships: Mapping[UUID, MentorshipState] = {}


def engagements(
    mentorship: MentorshipState, participant_id: UUID, held: Mapping[int, int]
) -> list[Engagement]:
    """The person's parts in the mentorship; none for one who is no member of it."""
    active = tuple(months.union(months.active(p.since, p.until) for p in mentorship.periods))
    return [
        Engagement(forms(mentorship), member.role, active, held)
        for member in mentorship.members
        if member.participant_id == participant_id
    ]


def cells(facts: Facts, catalogue: Catalogue) -> Cells:
    """Nothing while the person is not known."""
    person = facts.person
    if person is None:
        return {}
    at_home = homes(person.memberships, catalogue.census_day)
    adding = Adding()
    met: dict[Engaged | None, dict[str, list[Span]]] = {None: {ALL: [months.ALWAYS]}}
    met |= {rule: _engaged(rule, facts.engagements) for rule in catalogue.rules}
    since = _since(facts)
    for measure in catalogue.of("who"):
        assert measure.who is not None
        by_slice = met[measure.engaged]
        for home in _narrowed(measure.who, person, at_home, since) if by_slice else ():
            for at, spans in by_slice.items():
                for span in spans:
                    both = months.meet(home.span, span)
                    adding.add(home.organization_id, both, (at,), measure.code)
    _add_scores(adding, facts, at_home, catalogue)
    return adding.cells()


def homes(memberships: Iterable[Membership], census: tuple[int, int]) -> list[Home]:
    """Home by school year. Where primary memberships overlap, the later one wins."""
    primary = [m for m in memberships if m.primary]
    order = [(months.counted(m.since, m.until, census), str(m.organization_id), m) for m in primary]
    found: list[Home] = []
    taken: list[Span] = []
    for span, _, member in sorted(order, key=lambda o: (o[0][0], o[1]), reverse=True):
        rests = months.subtract(span, taken)
        found += [Home(member.organization_id, member.kind, rest) for rest in rests]
        taken.append(span)
    return found


def _engaged(rule: Engaged, parts: Sequence[Engagement]) -> dict[str, list[Span]]:
    """Slice → the months in which the rule is met."""
    matching = [part for part in parts if part.role in rule.roles]
    found = {}
    for at in dict.fromkeys(at for part in matching for at in part.slices):
        chosen = [part for part in matching if at in part.slices]
        found[at] = _met(rule.min_sessions, chosen)
    return found


def _met(min_sessions: int, parts: Sequence[Engagement]) -> list[Span]:
    if min_sessions == 0:
        return months.union(span for part in parts for span in part.active)
    attended: dict[int, int] = defaultdict(int)
    for part in parts:
        for month, held in part.held.items():
            year = 12 * months.year_of(month)
            if any(first < year + 12 and end > year for first, end in part.active):
                attended[month] += held
    found: dict[int, int] = {}
    total: dict[int, int] = defaultdict(int)
    for month in sorted(attended):
        year = months.year_of(month)
        total[year] += attended[month]
        if total[year] >= min_sessions:
            found.setdefault(year, month)
    return [(month, months.year_end(month)) for month in found.values()]


class _Since(NamedTuple):
    trained: Span
    trajectory: Span


def _since(facts: Facts) -> _Since:
    assert facts.person is not None
    trained = [t.completed_on for t in facts.person.trainings if t.role == "mentor"]
    drawn_up = [
        a.date
        for a in facts.assessments
        if a.domain == "trajectory" and a.value >= TRAJECTORY and a.subject_kind != "organization"
    ]
    return _Since(*(_from(days) for days in (trained, drawn_up)))


def _from(days: Sequence[object]) -> Span:
    return (months.month_of(min(days)), months.LAST) if days else months.NEVER  # type: ignore[type-var, arg-type]


def _narrowed(
    who: Who, person: ParticipantState, at_home: Sequence[Home], since: _Since
) -> list[Home]:
    """The homes, in the months in which the person is one the measure counts."""
    limits = [
        months.aged(person.birth_year, who.age),
        months.aged(person.teaching_since_year, who.experience),
    ]
    limits += [since.trained] if who.trained else []
    limits += [since.trajectory] if who.trajectory else []
    found = []
    for home in at_home:
        span = months.meet(home.span, *limits)
        if span[0] < span[1] and (not who.kinds or home.kind in who.kinds):
            found.append(home._replace(span=span))
    return found


def _add_scores(
    adding: Adding, facts: Facts, at_home: Sequence[Home], catalogue: Catalogue
) -> None:
    def add(measure: Measure, found: Iterable[tuple[str, Span, int]]) -> None:
        for at, span, n in found:
            for home in at_home:
                both = months.meet(home.span, span)
                adding.add(home.organization_id, both, (at,), measure.code, n)

    if facts.surveys:
        for measure in catalogue.of("responded"):
            assert measure.responded is not None
            add(measure, responses.spans(measure.responded, facts.surveys, facts.mentorships))
    if facts.surveys or facts.assessments:
        for measure in catalogue.of("change"):
            assert measure.change is not None
            scores = changes.scores(measure.change, facts.surveys, facts.assessments)
            add(measure, changes.spans(measure.change, scores, facts.mentorships))
