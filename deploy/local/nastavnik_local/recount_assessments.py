"""Assessments: how the figures of persons and organisations changed.

Per subject and domain, in a slice, and first for each instrument by itself:

- after: the latest valid assessment of that stage dated in the year up to the end of the month (by
  date, then id); before: the earliest valid one of that stage (by date, then id) dated not later
  than the after, in whatever year; without one there is no pair;
- of several instruments with a pair, the one whose after is latest (by date, then by code of the
  instrument) is the subject's pair;
- the change is after − before, negated where less is better; improved is a change above 0.

A person counts at home; an organisation that is assessed counts at itself.
"""

from collections import defaultdict
from collections.abc import Iterator

from nastavnik_local.recount_ledger import (
    DENOMINATOR,
    NUMERATOR,
    Line,
    change_lines,
    forms_named,
)
from nastavnik_local.recount_log import Assessment, Log
from nastavnik_local.recount_people import Homes
from nastavnik_local.recount_time import Time

DOMAINS = {  # indicator → domain
    "results.educational": "educational",
    "results.sports": "sports",
    "results.cultural": "cultural",
    "results.personality": "personal",
}
Records = list[tuple[str, Assessment]]  # id, assessment


def lines(log: Log, time: Time, homes: Homes) -> Iterator[Line]:
    for (organization, _, slice_), records in _by_subject(log, homes).items():
        for indicator, domain in DOMAINS.items():
            change = change_of([r for r in records if r[1].domain == domain], time)
            if change is not None:
                yield Line(indicator, DENOMINATOR, slice_, organization)
                if change > 0:
                    yield Line(indicator, NUMERATOR, slice_, organization)
                yield from change_lines(indicator, slice_, organization, change)


def change_of(records: Records, time: Time) -> int | None:
    """The change of one subject in one domain; None without a pair."""
    chosen: tuple[Assessment, Assessment] | None = None
    for instrument in {assessment.instrument for _, assessment in records}:
        pair = pair_of([r for r in records if r[1].instrument == instrument], time)
        if pair is None:
            continue
        after = pair[1]
        if chosen is None or (after.day, instrument) > (chosen[1].day, chosen[1].instrument):
            chosen = pair
    if chosen is None:
        return None
    change = chosen[1].value - chosen[0].value
    return change if chosen[1].higher_is_better else -change


def pair_of(records: Records, time: Time) -> tuple[Assessment, Assessment] | None:
    """Before and after, by one instrument."""
    in_order = sorted(records, key=lambda record: (record[1].day, record[0]))
    afters = [a for _, a in in_order if a.stage == "after" and time.counts(a.day)]
    if not afters:
        return None
    after = afters[-1]
    befores = [a for _, a in in_order if a.stage == "before" and a.day <= after.day]
    return (befores[0], after) if befores else None


def _by_subject(log: Log, homes: Homes) -> dict[tuple[str, str, str], Records]:
    """(organisation where it counts, subject, slice) → the valid assessments."""
    found: dict[tuple[str, str, str], Records] = defaultdict(list)
    for ident, assessment in log.assessments.items():
        if assessment.status != "valid":
            continue
        if assessment.subject_kind == "organization":
            place = assessment.subject
        elif assessment.subject in homes:
            place, _ = homes[assessment.subject]
        else:
            continue
        for slice_ in forms_named(log, assessment.mentorship):
            found[place, assessment.subject, slice_].append((ident, assessment))
    return found
