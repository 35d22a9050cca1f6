"""What participants consent to, and what they withdrew.

Nothing is known of those who are known already: they are taken for version 0, so that they are read
again. Have the registry publish its participants once more after this:
POST /admin/republish?kind=participant.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("consents", "withdrawn"):
        column = sa.Column(name, sa.ARRAY(sa.String()), nullable=False, server_default="{}")
        op.add_column("replica_participant", column)
    op.execute("update replica_participant set version = 0 where not deleted")


def downgrade() -> None:
    for name in ("consents", "withdrawn"):
        op.drop_column("replica_participant", name)
