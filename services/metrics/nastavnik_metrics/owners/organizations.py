"""Programmes, gatherings, contributions, and assessments of organisations → their cells."""

from collections.abc import Sequence

from nastavnik_common.events.activity import AssessmentState, ContributionState, GatheringState
from nastavnik_common.events.registry import ProgrammeState
from nastavnik_metrics import months
from nastavnik_metrics.catalogue.model import ALL, Catalogue, Programmes
from nastavnik_metrics.cells import Adding, Cells
from nastavnik_metrics.owners import changes
from nastavnik_metrics.owners.slices import ways


def programme(state: ProgrammeState, catalogue: Catalogue) -> Cells:
    adding = Adding()
    first = 12 * state.school_year
    for measure in catalogue.of("programmes"):
        rule = measure.programmes
        assert rule is not None
        if rule.take == "planned_sessions":
            for planned in state.plan:
                month = months.month_of(planned.month)
                # a month of another year would be no part of this programme
                span = (month, first + 12) if month >= first else months.NEVER
                adding.add(state.organization_id, span, (ALL,), measure.code, planned.sessions)
            continue
        n = len(set(state.mechanisms)) if rule.take == "mechanisms" else int(_fits(state, rule))
        adding.add(state.organization_id, (first, first + 12), (ALL,), measure.code, n)
    return adding.cells()


def _fits(state: ProgrammeState, rule: Programmes) -> bool:
    approved = {d.kind for d in state.documents if d.status == "approved"}
    based = state.methodical_materials and state.curator_id is not None
    return approved >= set(rule.documents) and (based or not rule.base)


def gathering(state: GatheringState, catalogue: Catalogue) -> Cells:
    adding = Adding()
    if state.status == "held":
        month = months.month_of(state.date)
        slices = (ALL, *ways(state.technology, state.audience))
        for measure in catalogue.of("gatherings"):
            n = 1 if measure.gatherings == "count" else state.duration_minutes
            span = (month, months.year_end(month))
            adding.add(state.organization_id, span, slices, measure.code, n)
    return adding.cells()


def contribution(state: ContributionState, catalogue: Catalogue) -> Cells:
    adding = Adding()
    if state.status == "valid":
        month = months.month_of(state.date)
        for measure in catalogue.of("contributions"):
            n = 1 if measure.contributions == "count" else state.kopecks
            span = (month, months.year_end(month))
            adding.add(state.organization_id, span, (ALL,), measure.code, n)
    return adding.cells()


def assessed(assessments: Sequence[AssessmentState], catalogue: Catalogue) -> Cells:
    """Of one organisation: the valid assessments whose subject it is."""
    adding = Adding()
    for measure in catalogue.of("change"):
        rule = measure.change
        assert rule is not None
        if rule.domain is None:
            continue
        for at, span, n in changes.spans(rule, changes.scores(rule, (), assessments), {}):
            adding.add(assessments[0].subject_id, span, (at,), measure.code, n)
    return adding.cells()
