"""Who may use which route of the metrics service. A new route needs a line here."""

from nastavnik_common.auth import Role
from nastavnik_common.auth_rules import (
    Access,
    Anywhere,
    Everywhere,
    Listed,
    Named,
    Record,
    Unit,
    allow,
)
from nastavnik_common.auth_tables import CHANGES, DEAD_LETTERS, MANAGERS, OPERATORS, READERS

_ACCEPT = frozenset({Role.REGION, Role.MUNICIPALITY})
_WATCH = allow(OPERATORS | {Role.REGION, Role.AUDITOR}, Everywhere())
_OPERATE = allow(OPERATORS, Everywhere())
_FIGURES = allow(READERS, Unit())
_REPORT = allow(READERS, Record("report"))
_DECIDE = allow(_ACCEPT, Record("report"))

ACCESS: Access = {
    ("GET", "/indicators"): allow(READERS, Anywhere()),
    ("GET", "/indicators/{code}"): allow(READERS, Anywhere()),
    # figures that are suppressed for publication may also be those of the units above
    ("GET", "/indicators/{code}/values"): allow(READERS, Unit(published=True)),
    ("GET", "/indicators/{code}/series"): _FIGURES,
    ("GET", "/indicators/{code}/history"): _FIGURES,
    ("GET", "/indicators/{code}/contributors"): _FIGURES,
    ("GET", "/units"): allow(READERS, Listed()),
    ("GET", "/units/{unit}/card"): _FIGURES,
    ("GET", "/exports/values.csv"): _FIGURES,
    ("GET", "/exports/values.xlsx"): _FIGURES,
    ("GET", "/stream"): allow(READERS, Listed()),
    ("GET", "/reports"): allow(READERS, Listed()),
    ("POST", "/reports"): allow(MANAGERS, Named(("unit_id",))),
    ("GET", "/reports/{id}"): _REPORT,
    ("GET", "/reports/{id}/values"): _REPORT,
    ("GET", "/reports/{id}/restatements"): _REPORT,
    ("GET", "/reports/{id}/export.csv"): _REPORT,
    ("GET", "/reports/{id}/export.xlsx"): _REPORT,
    ("POST", "/reports/{id}:submit"): allow(MANAGERS, Record("report")),
    ("POST", "/reports/{id}:return"): _DECIDE,
    ("POST", "/reports/{id}:accept"): _DECIDE,
    ("POST", "/reports/{id}:freeze"): _DECIDE,
    ("GET", "/progress"): _WATCH,
    ("GET", "/audit"): _WATCH,
    ("GET", "/rebuild"): _WATCH,
    ("GET", "/accounting"): _WATCH,
    ("POST", "/admin/accounting"): _OPERATE,
    ("POST", "/admin/audit"): _OPERATE,
    ("POST", "/admin/catalogue:reload"): _OPERATE,
    ("POST", "/admin/rebuild"): _OPERATE,
    ("POST", "/admin/republish"): _OPERATE,
    **CHANGES,
    **DEAD_LETTERS,
}
