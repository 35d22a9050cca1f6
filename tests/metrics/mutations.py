"""Mistakes the fold could make, each put in on purpose, and the history that shows it.

`MUTATIONS` is the list: what is wrong, in which history (of mutation_histories.py) it shows, and
what tells: `cells` (they are not what a recomputation from the latest states says) or `figures`
(the API does not say what the independent recount says; the recomputation shares the rules, so a
wrong rule shows only here).
"""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from nastavnik_common.events.registry import ProgrammeState
from nastavnik_metrics import fold, months, sessions, shares
from nastavnik_metrics.batch import Batch
from nastavnik_metrics.owners import changes, mentorships, organizations, persons, responses
from nastavnik_metrics.patterns import NOTHING, Patterns

Patch = Callable[[pytest.MonkeyPatch], None]


class Mutation(NamedTuple):
    wrong: str
    history: str
    tells: str
    patch: Patch


def put(owner: Any, name: str, make: Callable[[Any], Any]) -> Patch:
    """Put what `make` makes of the right function in its place."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(owner, name, make(getattr(owner, name)))

    return patch


async def _nothing(*_: Any) -> None:
    return None


def _positive(right: Any) -> Any:
    return lambda old, new: Counter({k: n for k, n in right(old, new).items() if n > 0})


def _only_additions(right: Any) -> Any:
    return lambda self, counted: right(self, Counter({s: n for s, n in counted.items() if n > 0}))


def _last_in_batch(right: Any) -> Any:
    def take(self: Batch, record: Any, reading: Any, tally: Any) -> None:
        self.changes[record.topic].pop(reading.envelope.subject, None)
        right(self, record, reading, tally)

    return take


def _no_tombstones(right: Any) -> Any:
    def take(self: Batch, record: Any, reading: Any, tally: Any) -> None:
        if reading.state is not None:
            right(self, record, reading, tally)

    return take


def _each_pair(right: Any) -> Any:
    return lambda least, parts: [span for part in parts for span in right(least, [part])]


def _first_response(right: Any) -> Any:
    return lambda rule, given, known: right(rule, [min(given, key=lambda s: s.date)], known)


def _last_before(right: Any) -> Any:
    def difference(given: Any, month: int) -> Any:
        befores = [s for s in given if not s.after]
        return right([s for s in given if s.after or s is befores[-1]], month)

    return difference


def _approved(right: Any) -> Any:
    def fits(state: ProgrammeState, rule: Any) -> Any:
        return right(
            replace(state, documents=tuple(replace(d, status="approved") for d in state.documents)),
            rule,
        )

    return fits


def _every_day_of_every_period(_: Any) -> Any:
    def active_days(mentorship: Any, first: date, last: date) -> int:
        end = last + timedelta(days=1)
        spans = ((max(p.since, first), min(p.until or end, end)) for p in mentorship.periods)
        return sum(max((until - since).days, 0) for since, until in spans)

    return active_days


def _without_its_last_year(right: Any) -> Any:
    def active(since: date, until: date | None) -> Any:
        first, end = right(since, until)
        return first, end if until is None else end - 12

    return active


def _voided_is_valid(patch: pytest.MonkeyPatch) -> None:
    right = organizations.contribution
    patch.setitem(
        shares._RECORDS, "contribution", lambda s, c: right(replace(s, status="valid"), c)
    )


MUTATIONS = [
    Mutation(
        "a retraction of attendance is dropped",
        "somebody had not come after all",
        "cells",
        put(fold, "attendance_delta", _positive),
    ),
    Mutation(
        "the share an owner had is not taken back",
        "somebody had not come after all",
        "cells",
        put(Patterns, "sum", _only_additions),
    ),
    Mutation(
        "the share a session had is not taken back",
        "a session is put to another year",
        "cells",
        put(sessions, "_stored_share", lambda _: lambda _row: NOTHING),
    ),
    Mutation(
        "sessions stay where their pair was run",
        "a pair is run elsewhere",
        "cells",
        put(sessions, "follow", lambda _: _nothing),
    ),
    Mutation(
        "sessions keep the form their pair had",
        "a pair is of another form",
        "cells",
        put(sessions, "follow", lambda _: _nothing),
    ),
    Mutation(
        "a deletion is ignored",
        "a session is deleted",
        "cells",
        put(Batch, "_take", _no_tombstones),
    ),
    Mutation(
        "what comes last wins, whatever its version",
        "a correction overtakes",
        "cells",
        put(Batch, "_take", _last_in_batch),
    ),
    Mutation(
        "a voided contribution counts",
        "a contribution is voided",
        "cells",
        _voided_is_valid,
    ),
    Mutation(
        "a person is counted once a pair",
        "somebody is in two pairs",
        "figures",
        put(persons, "_met", _each_pair),
    ),
    Mutation(
        "the census date is forgotten",
        "somebody moves in February",
        "figures",
        put(months, "counted", lambda right: lambda s, u, _: right(s, u, (1, 1))),
    ),
    Mutation(
        "of two homes both count",
        "somebody has two homes at once",
        "figures",
        put(months, "subtract", lambda _: lambda whole, _parts: [whole]),
    ),
    Mutation(
        "the year's end is forgotten",
        "a year ago",
        "figures",
        put(months, "year_end", lambda _: lambda _month: months.LAST),
    ),
    Mutation(
        "a pair that ended is no longer of the year",
        "a pair ends in October",
        "figures",
        put(months, "active", _without_its_last_year),
    ),
    Mutation(
        "days of two periods count twice",
        "periods overlap",
        "figures",
        put(mentorships, "_active_days", _every_day_of_every_period),
    ),
    Mutation(
        "attendance is counted double",
        "one of two did not come",
        "figures",
        put(
            mentorships,
            "meeting",
            lambda right: lambda m, s, c: right(m, s._replace(attended=2 * s.attended), c),
        ),
    ),
    Mutation(
        "who was expected had come",
        "one of two did not come",
        "figures",
        put(
            mentorships,
            "meeting",
            lambda right: lambda m, s, c: right(m, s._replace(attended=s.expected), c),
        ),
    ),
    Mutation(
        "a voided session was attended",
        "a session is voided",
        "figures",
        put(
            fold,
            "attended",
            lambda right: lambda s: right(s if s is None else replace(s, status="held")),
        ),
    ),
    Mutation(
        "the dosage agreed on is forgotten",
        "four sessions a month were due",
        "figures",
        put(
            mentorships,
            "_year_of_regularity",
            lambda right: lambda m, h, y: right(replace(m, sessions_per_month=None), h, y),
        ),
    ),
    Mutation(
        "the first response counts",
        "first content, then not",
        "figures",
        put(responses, "spans", _first_response),
    ),
    Mutation(
        "before is after",
        "marks got better",
        "figures",
        put(
            changes,
            "scores",
            lambda right: lambda *a: [s._replace(after=not s.after) for s in right(*a)],
        ),
    ),
    Mutation(
        "the last before counts",
        "marks were taken twice before",
        "figures",
        put(changes, "_difference", _last_before),
    ),
    Mutation(
        "more is always better",
        "less is better",
        "figures",
        put(
            changes,
            "_assessed",
            lambda right: lambda a: right(a)._replace(higher_is_better=True),
        ),
    ),
    Mutation(
        "training counts before it was completed",
        "trained in the spring",
        "figures",
        put(persons, "_from", lambda _: lambda days: months.ALWAYS if days else months.NEVER),
    ),
    Mutation(
        "age is a year off",
        "one is nineteen",
        "figures",
        put(
            months,
            "aged",
            lambda right: lambda origin, between: right(origin and origin + 1, between),
        ),
    ),
    Mutation(
        "a draft is a document",
        "all documents are drafts",
        "figures",
        put(organizations, "_fits", _approved),
    ),
    Mutation(
        "the form is forgotten",
        "one of two did not come",
        "figures",
        put(persons, "forms", lambda _: lambda _pair: ("all",)),
    ),
]
