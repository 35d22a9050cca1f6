"""Users, roles and demographics as the registry would have them, by columns, with their hashes."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import polars as pl
import polars_hash as plh

from nastavnik_registry import domain
from nastavnik_registry.imports.codes import Policy
from nastavnik_registry.imports.columnar.checked import DEMOGRAPHICS, LINE, ROLES, TEACHING, USERS
from nastavnik_registry.imports.columnar.reading import UnsureError
from nastavnik_registry.imports.notes import LONGEST
from nastavnik_registry.imports.units import Known

_TEXTS = {
    "family_name": "familyName",
    "given_name": "givenName",
    "middle_name": "middleName",
    "email": "email",
    "phone": "phone",
    "sms": "sms",
}
_CONTENT = ("family_name", "given_name", "middle_name", "email", "phone", "teaching_since", "home")
_ROLE = ("organization_id", "kind", "first", "since", "until")
_FIELD, _ROW = "\x1f", "\x1e"  # in no text that was read by columns
_SHAPE = "1"  # of what is hashed: change it, and everybody is compared anew


class People(NamedTuple):
    """Named as the staging tables name them; text throughout, null: nothing.

    `users` have `birth_date` and `hash` too. Of what is None the package has no file.
    """

    users: pl.DataFrame
    roles: pl.DataFrame | None
    demographics: pl.DataFrame | None


def people(
    found: Mapping[str, pl.DataFrame], policy: Policy, units: Mapping[str, Known], today: date
) -> People | None:
    """The people of files found clean; None where something is to be said of a row."""
    try:
        roles = _roles(found[ROLES], policy, units) if ROLES in found else None
        births = _births(found[DEMOGRAPHICS], today) if DEMOGRAPHICS in found else None
        users = _users(found[USERS], units, today)
    except UnsureError:
        return None
    users = users.with_columns(birth_date=pl.lit("")) if births is None else _born(users, births)
    hashed = _hashed(users, roles, births is not None)
    return People(
        _nulled(hashed),
        None if roles is None else _nulled(roles),
        None if births is None else _nulled(births),
    )


def _users(rows: pl.DataFrame, units: Mapping[str, Known], today: date) -> pl.DataFrame:
    teaching = pl.col(TEACHING) if TEACHING in rows.columns else pl.lit("")
    homes = {outside: str(unit.id) for outside, unit in units.items()}
    users = rows.select(
        pl.col("sourcedId").alias("outside"),
        pl.col(LINE),
        *(pl.col(there).str.strip_chars().alias(here) for here, there in _TEXTS.items()),
        teaching.str.strip_chars().alias("teaching_since"),
        pl.col("primaryOrgSourcedId")
        .replace_strict(homes, default="", return_dtype=pl.String)
        .alias("home"),
    )
    long = pl.any_horizontal((pl.col(name).str.len_chars() > LONGEST).any() for name in _TEXTS)
    blank = pl.any_horizontal((pl.col(name) == "").any() for name in ("family_name", "given_name"))
    _sure(not users.select(long | blank).item())
    days = users["teaching_since"].filter(users["teaching_since"] != "")
    _sure(bool((days.str.len_bytes() == 10).all()))
    _sure(days.str.to_date("%Y-%m-%d", strict=False).null_count() == 0)
    _sane(days, today)
    phone = pl.when(pl.col("phone") == "").then("sms").otherwise("phone")
    return users.with_columns(phone=phone).drop("sms")


def _sane(days: pl.Series, today: date) -> None:
    """ISO dates of the calendar, without empty ones."""
    _sure(bool(days.is_between(pl.lit(domain.OLDEST.isoformat()), pl.lit(today.isoformat())).all()))


def _sure(fine: bool) -> None:
    if not fine:
        raise UnsureError


def _births(rows: pl.DataFrame, today: date) -> pl.DataFrame:
    _sane(rows["birthDate"].filter(rows["birthDate"] != ""), today)
    return rows.select(outside="sourcedId", line=LINE, birth_date="birthDate")


def _born(users: pl.DataFrame, births: pl.DataFrame) -> pl.DataFrame:
    joined = users.join(births.drop("line"), on="outside", how="left", maintain_order="left")
    joined = joined.with_columns(pl.col("birth_date").fill_null(""))
    birth, teaching = pl.col("birth_date"), pl.col("teaching_since")
    odd = (birth != "") & (teaching != "") & (teaching <= birth)
    _sure(not joined.select(odd.any()).item())
    return joined


def _roles(rows: pl.DataFrame, policy: Policy, units: Mapping[str, Known]) -> pl.DataFrame:
    pairs = rows.select("orgSourcedId", "role").unique()
    made = []
    for org, role in pairs.iter_rows():
        unit = units.get(org)
        _sure(unit is not None)
        assert unit is not None
        made.append((org, role, str(unit.id), policy.member_of(role, unit.kind)))
    columns = ["orgSourcedId", "role", "organization_id", "kind"]
    read = pl.DataFrame(made, schema=dict.fromkeys(columns, pl.String), orient="row")
    since, until = pl.col("since"), pl.col("until")
    return (
        rows.join(read, on=["orgSourcedId", "role"], maintain_order="left")
        .select(
            pl.col("userSourcedId").alias("outside"),
            pl.col(LINE).alias("seq"),
            "organization_id",
            "kind",
            pl.when(pl.col("roleType") == "primary")
            .then(pl.lit("t"))
            .otherwise(pl.lit("f"))
            .alias("first"),
            pl.col("beginDate").alias("since"),
            pl.col("endDate").alias("until"),
        )
        .filter((since == "") | (until == "") | (since < until))  # else a role of no day
    )


def _hashed(users: pl.DataFrame, roles: pl.DataFrame | None, births: bool) -> pl.DataFrame:
    """With the hash of all that the package says of the person, in hexadecimal."""
    content = [pl.lit(f"{_SHAPE}{roles is not None}{births}"), *map(pl.col, _CONTENT)]
    content.append(pl.col("birth_date"))
    if roles is not None:
        row = pl.concat_str(_ROLE, separator=_FIELD)
        theirs = (
            roles.select("outside", row=row).group_by("outside").agg(pl.col("row").str.join(_ROW))
        )
        users = users.join(theirs, on="outside", how="left", maintain_order="left")
        content.append(pl.col("row").fill_null(""))
    text = pl.concat_str(content, separator=_FIELD)
    mark = plh.NonCryptographicHashingNameSpace(text).xxh3_128(return_binary=True, byte_order="big")
    hashed = users.with_columns(hash=pl.lit("\\x") + mark.bin.encode("hex"))
    return hashed.drop("row", strict=False)


def _nulled(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.String).replace("", None))
