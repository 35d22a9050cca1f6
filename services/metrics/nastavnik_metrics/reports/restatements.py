"""What a frozen report would say now: before and after, since when, and through whom.

The live figures are evaluated by the definitions and up to the moment of the freeze, so that a
difference comes from the facts and neither from a new definition nor from passing time.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common.errors import ConflictError
from nastavnik_common.events.metrics import Change, IndicatorValueState
from nastavnik_metrics import months, snapshot, values
from nastavnik_metrics import queries as units
from nastavnik_metrics.catalogue.model import ALL, Catalogue, Indicator
from nastavnik_metrics.identity import value_id
from nastavnik_metrics.reports import parts, queries
from nastavnik_metrics.reports.contents import frozen
from nastavnik_metrics.reports.parts import Adds, Part
from nastavnik_metrics.reports.rules import Report
from nastavnik_metrics.snapshot import Snapshot

Key = tuple[str, str]
"""Indicator and slice."""
Values = dict[Key, IndicatorValueState]
_ADDS = msgspec.json.Decoder(Adds)


class PartChange(NamedTuple):
    part: Part
    before: tuple[int, int]
    after: tuple[int, int]


class Restatement(NamedTuple):
    indicator: str
    slice: str
    before: IndicatorValueState | None
    """None: the slice counted nothing when the report was frozen."""
    after: IndicatorValueState
    since: datetime | None
    changed: list[PartChange] | None
    """Largest changes first; None where nothing was kept to tell it from."""


async def found(tx: AsyncSession, report: Report, catalogue: Catalogue) -> list[Restatement]:
    """In the order of the report. ConflictError when it is not frozen."""
    if report.status != "frozen":
        raise ConflictError("report.not_frozen", "Only a frozen report has restatements.")
    await units.unit(tx, report.unit_id)
    kept = {(v.indicator, v.form): v for v, _ in await queries.frozen_values(tx, report.id, None)}
    chosen = _definitions(catalogue, kept, report.school_year)
    snap = await snapshot.take(tx, months.last_month(report.school_year), catalogue)
    then = snap._replace(watermark=report.watermark)
    live = await _live(tx, then, report.unit_id, chosen, kept)
    differing = [
        k for k in {**kept, **live} if k in live and _figures(kept, k) != _figures(live, k)
    ]
    since = await _since(tx, report, differing, kept, live)
    changes: dict[str, list[PartChange]] = {}
    if any(at == ALL for _, at in differing):
        changes = await _changes(tx, report, then, chosen)
    return [
        Restatement(
            *key,
            before=frozen(kept[key]) if key in kept else None,
            after=msgspec.structs.replace(live[key], watermark=snap.watermark),
            since=since.get(key),
            changed=changes.get(key[0], []) if key[1] == ALL else None,
        )
        for key in differing
    ]


def _definitions(catalogue: Catalogue, kept: Values, school_year: int) -> list[Indicator]:
    """As frozen; where that version is gone from the catalogue, the one in force."""
    versions = {(i.code, i.version): i for i in catalogue.indicators}
    current = {i.code: i for i in catalogue.current(school_year)}
    wanted = {v.indicator: v.definition_version for v in kept.values()}
    known = [versions.get((code, n), current.get(code)) for code, n in wanted.items()]
    return [indicator for indicator in known if indicator is not None]


async def _live(
    tx: AsyncSession, snap: Snapshot, unit: UUID, chosen: Sequence[Indicator], kept: Values
) -> Values:
    now = await values.evaluated(tx, snap, [unit], chosen)
    live = {(v.indicator, v.form): v for v in now}
    for at in sorted({at for _, at in kept.keys() - live.keys()}):
        gone = [i for i in chosen if (i.code, at) in kept and (i.code, at) not in live]
        live |= {(v.indicator, at): v for v in await values.evaluated(tx, snap, [unit], gone, at)}
    return live


def _figures(among: Values, key: Key) -> tuple[int, int, float | None, Change | None] | None:
    """What a restatement is about: not targets, pace or completeness."""
    value = among.get(key)
    if value is None:
        return None
    return value.numerator, value.denominator, value.value, value.change


async def _since(
    tx: AsyncSession, report: Report, keys: Sequence[Key], kept: Values, live: Values
) -> dict[Key, datetime]:
    """When the first of the announcements was made that have differed without a break; of values
    whose latest announcement is the live one."""
    about = [value_id(code, report.unit_id, report.school_year, at) for code, at in keys]
    rows = await tx.execute(
        text(_SINCE),
        {
            "ids": about,
            "numerators": [kept[k].numerator if k in kept else 0 for k in keys],
            # there is no denominator of −1: a value that was not there is like none
            "denominators": [kept[k].denominator if k in kept else -1 for k in keys],
            "definitions": [live[k].definition_version for k in keys],
            "after": report.last_change,
        },
    )
    by_id = dict(zip(about, keys, strict=True))
    return {
        by_id[ident]: since
        for ident, since, *last in rows
        if tuple(last) == (live[by_id[ident]].numerator, live[by_id[ident]].denominator)
    }


_SINCE = """
    with frozen as (
        select * from unnest(
            cast(:ids as uuid[]), cast(:numerators as bigint[]), cast(:denominators as bigint[]),
            cast(:definitions as int[])) as f(id, numerator, denominator, definition)
    ), told as (
        select id, seq, recorded_at, n, d, n = numerator and d = denominator as same
        from frozen join value_change on value_id = id, lateral (
            select cast(body->>'numerator' as bigint) as n,
                   cast(body->>'denominator' as bigint) as d) as figures
        where seq > :after and cast(body->>'definition_version' as int) = definition
    ), last as (
        select id, coalesce(max(seq) filter (where same), 0) as same_until from told group by id
    )
    select id, min(recorded_at), (array_agg(n order by seq desc))[1],
           (array_agg(d order by seq desc))[1]
    from told join last using (id) where seq > same_until group by id
"""


async def _changes(
    tx: AsyncSession, report: Report, snap: Snapshot, chosen: Sequence[Indicator]
) -> dict[str, list[PartChange]]:
    """Indicator → the parts that changed."""
    rows = await tx.execute(
        text("select kind, id, organization_id, adds::text from report_part where report_id = :id"),
        {"id": report.id},
    )
    before = {Part(kind, ident, home): _ADDS.decode(adds) for kind, ident, home, adds in rows}
    after = await parts.taken(tx, snap, report.unit_id, chosen)
    codes = {indicator.code for indicator in chosen}
    return {code: _changed(code, before, after) for code in codes}


def _changed(code: str, before: dict[Part, Adds], after: dict[Part, Adds]) -> list[PartChange]:
    def adds(among: dict[Part, Adds], part: Part) -> tuple[int, int]:
        return among.get(part, {}).get(code, (0, 0))

    changes = (PartChange(p, adds(before, p), adds(after, p)) for p in {*before, *after})
    return sorted((c for c in changes if c.before != c.after), key=_weight)


def _weight(change: PartChange) -> tuple[int, Part]:
    moved = sum(abs(b - a) for b, a in zip(change.before, change.after, strict=True))
    return -moved, change.part
