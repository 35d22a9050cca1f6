"""Parts of access tables that recur: sets of roles, and the routes every service may have."""

from nastavnik_common.auth import Role
from nastavnik_common.auth_rules import Access, Everywhere, allow

MANAGERS = frozenset({Role.REGION, Role.MUNICIPALITY, Role.SCHOOL})
"""People who keep the records of their part of the tree."""
WRITERS = MANAGERS | {Role.INTEGRATOR}
READERS = WRITERS | {Role.AUDITOR, Role.SERVICE}
"""Of what is not personal."""
OPERATORS = frozenset({Role.OPERATIONS})

CHANGES: Access = {
    ("GET", "/changes"): allow({Role.INTEGRATOR, Role.SERVICE}, Everywhere()),
}

DEAD_LETTERS: Access = {
    (method, path): allow(OPERATORS, Everywhere())
    for method, path in (
        ("GET", "/dead-letters"),
        ("GET", "/dead-letters/actions"),
        ("GET", "/dead-letters/{ident}"),
        ("GET", "/dead-letters/{ident}/actions"),
        ("POST", "/dead-letters/{ident}:discard"),
        ("POST", "/dead-letters/{ident}:fix"),
        ("POST", "/dead-letters/{ident}:replay"),
        ("POST", "/dead-letters:replay"),
        ("POST", "/dead-letters:resume"),
    )
}
