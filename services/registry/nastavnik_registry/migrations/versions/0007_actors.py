"""Who sent an import, who decided on it, and who asked for a pull."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ADDED = (("import_job", "created_by"), ("import_job", "decided_by"), ("pull", "asked_by"))


def upgrade() -> None:
    for table, name in _ADDED:
        op.add_column(table, sa.Column(name, sa.String(), nullable=True))


def downgrade() -> None:
    for table, name in _ADDED:
        op.drop_column(table, name)
