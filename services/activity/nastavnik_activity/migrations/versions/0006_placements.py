"""Where org units are, for the access rules.

What is known already has no placements: it is taken for version 0, so that it is read again. Have
the registry publish its organisations once more after this: POST /admin/republish?kind=organization.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind in (
        ("parents", sa.Uuid()),
        ("parents_since", sa.Date()),
        ("parents_until", sa.Date()),
    ):
        op.add_column(
            "replica_organization",
            sa.Column(name, sa.ARRAY(kind), nullable=False, server_default="{}"),
        )
        op.alter_column("replica_organization", name, server_default=None)
    op.execute("update replica_organization set version = 0 where not deleted")


def downgrade() -> None:
    for name in ("parents", "parents_since", "parents_until"):
        op.drop_column("replica_organization", name)
