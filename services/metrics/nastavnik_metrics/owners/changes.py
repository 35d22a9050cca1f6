"""Paired changes: the latest score after, against the earliest before."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from nastavnik_common.events.activity import AssessmentState, MentorshipState, SurveyState
from nastavnik_metrics import months
from nastavnik_metrics.catalogue.model import Change, Take
from nastavnik_metrics.months import Span
from nastavnik_metrics.owners.responses import score
from nastavnik_metrics.owners.slices import forms


class Scored(NamedTuple):
    """One score of one subject."""

    day: date
    id: UUID
    after: bool
    instrument: str
    value: int
    mentorship_id: UUID | None
    higher_is_better: bool = True


def scores(
    rule: Change, surveys: Sequence[SurveyState], assessments: Sequence[AssessmentState]
) -> list[Scored]:
    if rule.domain is not None:
        return [_assessed(a) for a in assessments if a.domain == rule.domain]
    found = []
    for survey in surveys:
        value = score(survey, rule.scale or "")
        named = not rule.roles or survey.respondent_role in rule.roles
        if value is not None and named and survey.stage in ("entry", "exit"):
            after = survey.stage == "exit"
            found.append(Scored(survey.date, survey.id, after, "", value, survey.mentorship_id))
    return found


def _assessed(a: AssessmentState) -> Scored:
    after = a.stage == "after"
    return Scored(a.date, a.id, after, a.instrument, a.value, a.mentorship_id, a.higher_is_better)


def spans(
    rule: Change, scored: Sequence[Scored], mentorships: Mapping[UUID, MentorshipState]
) -> Iterator[tuple[str, Span, int]]:
    """(slice, months, number): the subject's pair of each school year, as of each month."""
    by_slice: dict[str, list[Scored]] = defaultdict(list)
    for one in sorted(scored, key=lambda s: (s.day, s.id)):
        named = mentorships.get(one.mentorship_id) if one.mentorship_id else None
        for at in forms(named):
            by_slice[at].append(one)
    for at, given in by_slice.items():
        moments = sorted({months.month_of(s.day) for s in given if s.after})
        for index, month in enumerate(moments):
            following = moments[index + 1] if index + 1 < len(moments) else months.LAST
            end = min(following, months.year_end(month))
            difference = _difference(given, month)
            if difference is not None:
                yield at, (month, end), _take(rule.take, difference)


def _difference(given: Sequence[Scored], month: int) -> int | None:
    """Of the subject's pair as of the end of the month, whose *after* lies in its school year."""
    year = months.year_of(month)
    found: tuple[tuple[date, str], int] | None = None
    for instrument in {s.instrument for s in given}:
        of = [s for s in given if s.instrument == instrument]
        afters = [
            s
            for s in of
            if s.after
            and months.month_of(s.day) <= month
            and months.year_of(months.month_of(s.day)) == year
        ]
        if not afters:
            continue
        after = afters[-1]
        before = next((s for s in of if not s.after and s.day <= after.day), None)
        if before is None:
            continue
        key = (after.day, instrument)
        if found is None or key > found[0]:
            change = after.value - before.value
            found = (key, change if after.higher_is_better else -change)
    return None if found is None else found[1]


def _take(take: Take, difference: int) -> int:
    match take:
        case "pairs":
            return 1
        case "improved":
            return int(difference > 0)
        case "sum":
            return difference
        case "squares":
            return difference * difference
