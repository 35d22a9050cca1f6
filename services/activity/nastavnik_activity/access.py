"""Who may use which route of the activity service. A new route needs a line here."""

from nastavnik_common.auth import Role
from nastavnik_common.auth_rules import (
    About,
    Access,
    Anywhere,
    Everywhere,
    Lines,
    Listed,
    Named,
    Record,
    Rule,
    allow,
)
from nastavnik_common.auth_tables import CHANGES, DEAD_LETTERS, OPERATORS, READERS, WRITERS

# No names are here, yet who mentors whom is no matter of other systems.
_READERS = WRITERS | {Role.AUDITOR}
_CATALOGUES = allow({Role.REGION}, Everywhere())
_SCOPED = (About("mentorship_id", "mentorship"), Named(("organization_id",), needed=False))


def _noun(plural: str, kind: str, create: Rule, *actions: str) -> Access:
    """The routes of a kind of record; `actions` besides reading, correcting and deleting it."""
    one, write = f"/{plural}/{{id}}", allow(WRITERS, Record(kind))
    return {
        ("GET", f"/{plural}"): allow(_READERS, Listed()),
        ("POST", f"/{plural}"): create,
        ("GET", one): allow(_READERS, Record(kind)),
        ("PATCH", one): write,
        ("DELETE", one): write,
        **{("POST", f"{one}:{action}"): write for action in actions},
    }


_MOVES = ("activate", "pause", "resume", "complete", "terminate", "reopen")
_OF_UNIT = allow(WRITERS, Named(("organization_id",)))
_OF_EITHER = allow(WRITERS, *_SCOPED)

ACCESS: Access = {
    **{
        ("POST", f"/{plural}:batch"): allow(WRITERS, Lines())
        for plural in ("mentorships", "sessions", "surveys", "assessments")
    },
    **_noun("mentorships", "mentorship", _OF_UNIT, *_MOVES),
    **_noun("sessions", "session", allow(WRITERS, About("mentorship_id", "mentorship")), "void"),
    **_noun("surveys", "survey", _OF_EITHER, "void"),
    **_noun("assessments", "assessment", _OF_EITHER, "void"),
    **_noun("contributions", "contribution", _OF_UNIT, "void"),
    **_noun("gatherings", "gathering", _OF_UNIT, "void"),
    **{
        ("POST", f"/sheets/{journal}"): allow(WRITERS, Lines())
        for journal in ("mentorships", "sessions", "surveys")
    },
    **{
        ("GET", f"/templates/{journal}.{kind}"): allow(_READERS, Anywhere())
        for journal in ("mentorships", "sessions", "surveys")
        for kind in ("xlsx", "csv")
    },
    ("GET", "/surveys/{id}/answers"): allow(WRITERS, Record("survey")),
    ("GET", "/sessions/reviews"): allow(_READERS, Listed()),
    ("POST", "/sessions/reviews/{id}:resolve"): allow(WRITERS, Record("session_review")),
    ("GET", "/forms"): allow(READERS, Anywhere()),
    ("POST", "/forms"): _CATALOGUES,
    ("GET", "/questionnaires"): allow(READERS, Anywhere()),
    ("POST", "/questionnaires"): _CATALOGUES,
    ("GET", "/questionnaires/{code}"): allow(READERS, Anywhere()),
    ("POST", "/admin/republish"): allow(OPERATORS, Everywhere()),
    **CHANGES,
    **DEAD_LETTERS,
}
