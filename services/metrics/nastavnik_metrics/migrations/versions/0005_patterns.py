"""Patterns in the place of each owner's cells.

The derived tables are emptied; the projector makes them anew from the facts before it reads on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('pattern',
        sa.Column('id', sa.LargeBinary(), nullable=False),
        sa.Column('steps', sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint('id')
    )
    op.execute('truncate owner, cell')
    op.drop_column('owner', 'cells')
    op.add_column('owner', sa.Column('pattern', sa.LargeBinary(), nullable=True))
    op.add_column('session', sa.Column('organization_id', sa.Uuid(), nullable=True))
    op.add_column('session', sa.Column('pattern', sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.execute('truncate owner, cell')
    op.drop_column('session', 'pattern')
    op.drop_column('session', 'organization_id')
    op.drop_column('owner', 'pattern')
    op.add_column('owner', sa.Column('cells', sa.JSON(), nullable=True))
    op.drop_table('pattern')
