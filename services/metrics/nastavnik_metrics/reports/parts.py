"""What the figures of a unit in the slice `all` are made of, all indicators in one pass.

Of an organisation: the owners in its cells (persons, mentorships, …) and how much each adds, as the
drill-down says it. Of a territory: the organisations under it with their own figures, which are as
many as there are organisations, not people.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from nastavnik_common import db
from nastavnik_metrics import cells, holdings, values
from nastavnik_metrics.catalogue.model import ALL, Indicator, Term
from nastavnik_metrics.snapshot import Snapshot

TOGETHER = 200
"""Organisations evaluated at a time."""
OWNERS_TOGETHER = 2000

Adds = dict[str, tuple[int, int]]
"""Indicator → what it adds to the numerator and to the denominator."""


class Part(NamedTuple):
    kind: str
    id: UUID
    organization_id: UUID


async def taken(
    tx: AsyncSession, snap: Snapshot, unit: UUID, indicators: Sequence[Indicator]
) -> dict[Part, Adds]:
    if snap.tree.units[unit].level == "organization":
        return {
            **await _owners(tx, snap, unit, indicators),
            **_themselves(snap, unit, indicators),
        }
    return await _organizations(tx, snap, unit, indicators)


async def _organizations(
    tx: AsyncSession, snap: Snapshot, unit: UUID, indicators: Sequence[Indicator]
) -> dict[Part, Adds]:
    alone = {i.code for i in indicators if not i.denominator}
    found: dict[Part, Adds] = defaultdict(dict)
    under = sorted(o.id for o in snap.tree.organizations(unit))
    for start in range(0, len(under), TOGETHER):
        some = under[start : start + TOGETHER]
        for value in await values.evaluated(tx, snap, some, indicators, ALL):
            denominator = 0 if value.indicator in alone else value.denominator
            if value.numerator or denominator:
                part = Part("organization", value.organization_id, value.organization_id)
                found[part][value.indicator] = value.numerator, denominator
    return dict(found)


async def _owners(
    tx: AsyncSession, snap: Snapshot, unit: UUID, indicators: Sequence[Indicator]
) -> dict[Part, Adds]:
    under = {o.id: o.kind or "other" for o in snap.tree.organizations(unit)}
    connection = await db.driver(tx)
    found = {}
    after = ("", UUID(int=0))
    while rows := await connection.fetch(_OWNERS, list(under), *after, OWNERS_TOGETHER):
        for (kind, ident), has in (await holdings.of(connection, rows)).items():
            after = (kind, ident)
            for home, measured in _stocks(snap, has).items():
                adds = _adds(indicators, measured, under[home]) if home in under else None
                if adds:
                    found[Part(kind, ident, home)] = adds
    return found


_OWNERS = f"""
    select {holdings.COLUMNS} from owner
    where organizations && $1 and (kind, id) > ($2, $3) order by kind, id limit $4
"""  # noqa: S608 -- our names
Stocks = dict[tuple[str, str], int]
"""When (latest or whole_month), measure → the owner's stock."""


def _stocks(snap: Snapshot, owned: cells.Cells) -> dict[UUID, Stocks]:
    found: dict[UUID, Stocks] = defaultdict(lambda: defaultdict(int))
    for cell, n in owned.items():
        if cell.slice != ALL:
            continue
        for when, month in (("latest", snap.month), ("whole_month", snap.whole_month)):
            if cell.school_month <= month:
                found[cell.organization_id][when, cell.measure] += n
    return found


def _adds(indicators: Iterable[Indicator], measured: Stocks, kind: str) -> Adds:
    def total(terms: Iterable[Term], when: str) -> int:
        return sum(
            term.times * measured.get((when, term.measure or ""), 0)
            for term in terms
            if not term.organizations or kind in term.organizations
        )

    found = {i.code: (total(i.numerator, i.at), total(i.denominator, i.at)) for i in indicators}
    return {code: adds for code, adds in found.items() if any(adds)}


def _themselves(snap: Snapshot, unit: UUID, indicators: Sequence[Indicator]) -> dict[Part, Adds]:
    """Organisations that count as such."""
    found: dict[Part, Adds] = {}
    for state in snap.tree.organizations(unit):
        if not snap.tree.placed(state.id):
            continue
        kind = state.kind or "other"
        counted = {i.code: tuple(_counts(t, kind) for t in _both(i)) for i in indicators}
        adds = {code: (n, d) for code, (n, d) in counted.items() if n or d}
        if adds:
            found[Part("unit", state.id, state.id)] = adds
    return found


def _both(indicator: Indicator) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    return indicator.numerator, indicator.denominator


def _counts(terms: Iterable[Term], kind: str) -> int:
    return sum(
        term.count == "organizations" and (not term.organizations or kind in term.organizations)
        for term in terms
    )
