"""Programmes, gatherings and contributions, counted at their organisation."""

from collections.abc import Iterator

from nastavnik_local.recount_ledger import ALL, DENOMINATOR, NUMERATOR, Line, kinds_of_work
from nastavnik_local.recount_log import Log, Programme
from nastavnik_local.recount_time import Time

MANDATORY = ("order", "regulation", "roadmap", "curator_appointment", "pairs_order")
MECHANISMS = ("formalisation", "planning", "forms", "resources", "support")


def lines(log: Log, time: Time, plan_time: Time) -> Iterator[Line]:
    """A programme counts for the whole of its year, and only in `all`."""
    for programme in log.programmes.values():
        if programme.year == time.year:
            yield from _programme(programme, plan_time)
    yield from _gatherings(log, time)
    yield from _contributions(log, time)


def _programme(programme: Programme, plan_time: Time) -> Iterator[Line]:
    at = programme.organization
    yield Line("organisational.formalised", DENOMINATOR, ALL, at)
    if all(kind in programme.approved for kind in MANDATORY):
        yield Line("organisational.formalised", NUMERATOR, ALL, at)
    in_place = sum(mechanism in programme.mechanisms for mechanism in MECHANISMS)
    yield Line("organisational.mechanisms", DENOMINATOR, ALL, at, len(MECHANISMS))
    yield Line("organisational.mechanisms", NUMERATOR, ALL, at, in_place)
    yield Line("methodical.base", DENOMINATOR, ALL, at)
    if programme.materials and programme.curator:
        yield Line("methodical.base", NUMERATOR, ALL, at)
    for month, sessions in programme.plan:  # planned sessions count from their month on
        if plan_time.counts(month):
            yield Line("organisational.plan_fulfilment", DENOMINATOR, ALL, at, sessions)


def _gatherings(log: Log, time: Time) -> Iterator[Line]:
    """Gatherings that were held: number and minutes. They have no form."""
    for gathering in log.gatherings.values():
        if gathering.status == "held" and time.counts(gathering.day):
            at = gathering.organization
            for slice_ in {ALL} | kinds_of_work(gathering.technology, gathering.audience):
                yield Line("activity.sessions", NUMERATOR, slice_, at)
                yield Line("activity.hours", NUMERATOR, slice_, at, gathering.minutes)


def _contributions(log: Log, time: Time) -> Iterator[Line]:
    """Contributions that are valid: number and kopecks, only in `all`."""
    for contribution in log.contributions.values():
        if contribution.status == "valid" and time.counts(contribution.day):
            at = contribution.organization
            yield Line("results.contributions", NUMERATOR, ALL, at)
            yield Line("results.resources", NUMERATOR, ALL, at, contribution.kopecks)
