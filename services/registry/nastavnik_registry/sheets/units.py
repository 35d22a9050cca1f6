"""Organisations as people name them in a cell: our id, a code, ИНН, ОГРН, ОКТМО, or the name."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, any_, bindparam, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from nastavnik_common.sheets.reports import RowError
from nastavnik_common.sheets.words import tidy
from nastavnik_registry.tables import ExternalId, OrgUnit

_CODES = tuple(map(col, (OrgUnit.code, OrgUnit.inn, OrgUnit.ogrn, OrgUnit.oktmo)))
_IGNORED = " \u00a0№#\"'«»„“”.,;:-–—()/"
_TABLE = str.maketrans("ё", "е", _IGNORED)


class Units:
    """What the cells of one sheet may name."""

    def __init__(self, found: dict[str, set[UUID]], usual: UUID | None) -> None:
        self._found = found
        self._usual = usual

    def of(self, said: str | None) -> UUID:
        """RowError ``organization.unknown``, ``.ambiguous``; without a name: the usual one."""
        if said is None:
            if self._usual is None:
                raise RowError("cell.required", "organization")
            return self._usual
        found = self._found.get(_plain(said), set())
        if not found:
            raise RowError("organization.unknown", "organization")
        if len(found) > 1:
            raise RowError("organization.ambiguous", "organization")
        return next(iter(found))


async def load(
    tx: AsyncSession, said: Iterable[str | None], source: str, usual: UUID | None
) -> Units:
    """Those that the cells name. What a code names comes before what bears the name."""
    wanted = {tidy(one) for one in said if one}
    found: dict[str, set[UUID]] = {}
    for rank in (_external(source, wanted), _columns(wanted), _names(wanted)):
        met: dict[str, set[UUID]] = {}
        for ident, *names in (await tx.execute(rank)).tuples():
            for name in names:
                if name is not None:
                    met.setdefault(_plain(name), set()).add(ident)
        found = met | found
    return Units(found, usual)


def _external(source: str, wanted: Iterable[str]) -> Select[*tuple[Any, ...]]:
    return (
        select(col(OrgUnit.id), col(ExternalId.external_id))
        .join(ExternalId, col(ExternalId.entity_id) == col(OrgUnit.id))
        .where(
            col(ExternalId.kind) == "organization",
            col(ExternalId.source) == source,
            _among(col(ExternalId.external_id), wanted),
            col(OrgUnit.deleted).is_(False),
        )
    )


def _columns(wanted: Iterable[str]) -> Select[*tuple[Any, ...]]:
    ident = cast(col(OrgUnit.id), String)
    given = [text.casefold() for text in wanted]
    said = or_(_among(ident, given), *(_among(column, wanted) for column in _CODES))
    return select(col(OrgUnit.id), ident.label("own"), *_CODES).where(
        said, col(OrgUnit.deleted).is_(False)
    )


def _names(wanted: Iterable[str]) -> Select[*tuple[Any, ...]]:
    names = (col(OrgUnit.name), col(OrgUnit.short_name))
    given = [_plain(text) for text in wanted]
    said = or_(*(_among(_plain_column(column), given) for column in names))
    return select(col(OrgUnit.id), *names).where(said, col(OrgUnit.deleted).is_(False))


def _plain(text: str) -> str:
    """Case, ё and е, spaces and punctuation make no difference: «Лицей №3», Лицей № 3."""
    return text.lower().translate(_TABLE)


def _plain_column(column: Any) -> ColumnElement[str]:
    """The same, as the database does it."""
    return func.translate(func.lower(column), f"ё{_IGNORED}", "е")


def _among(column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    return column == any_(bindparam(None, list(values), type_=ARRAY(String)))  # type: ignore[no-any-return]
