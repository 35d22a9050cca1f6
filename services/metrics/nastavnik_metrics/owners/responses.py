"""Who answered, and how high: by person and school year the latest response counts."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from nastavnik_common.events.activity import MentorshipState, SurveyState
from nastavnik_metrics import months
from nastavnik_metrics.catalogue.model import Responded
from nastavnik_metrics.months import Span
from nastavnik_metrics.owners.slices import forms


def score(survey: SurveyState, scale: str) -> int | None:
    return next((s.value for s in survey.scores if s.scale == scale), None)


def spans(
    rule: Responded, surveys: Sequence[SurveyState], mentorships: Mapping[UUID, MentorshipState]
) -> Iterator[tuple[str, Span, int]]:
    """(slice, months, 1) in which the person is a respondent, high enough if that is asked."""
    matching = [
        s
        for s in surveys
        if s.stage == rule.stage
        and s.respondent_role in rule.roles
        and score(s, rule.scale) is not None
    ]
    by_slice: dict[tuple[str, int], list[SurveyState]] = defaultdict(list)
    for survey in sorted(matching, key=lambda s: (s.date, s.id)):
        named = mentorships.get(survey.mentorship_id) if survey.mentorship_id else None
        for at in forms(named):
            by_slice[at, months.year_of(months.month_of(survey.date))].append(survey)
    for (at, year), given in by_slice.items():
        for index, survey in enumerate(given):
            end = (
                months.month_of(given[index + 1].date)
                if index + 1 < len(given)
                else 12 * (year + 1)
            )
            found = score(survey, rule.scale)
            if found is not None and (rule.at_least is None or found >= rule.at_least):
                yield at, (months.month_of(survey.date), end), 1
