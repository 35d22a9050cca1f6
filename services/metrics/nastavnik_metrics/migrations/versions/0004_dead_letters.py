"""What operators do with dead letters: corrected copies, and the trail."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('dead_letter', sa.Column('discarded_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('dead_letter_open', 'dead_letter', ['topic', 'id'], unique=False,
        postgresql_where=sa.text('resolved_at is null and discarded_at is null'))
    op.create_table('dead_letter_copy',
        sa.Column('id', sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column('letter_id', sa.BigInteger(), nullable=False),
        sa.Column('key', sa.LargeBinary(), nullable=True),
        sa.Column('headers', sa.LargeBinary(), nullable=False),
        sa.Column('value', sa.LargeBinary(), nullable=True),
        sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['letter_id'], ['dead_letter.id']),
        sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_dead_letter_copy_letter_id'), 'dead_letter_copy', ['letter_id'], unique=False)
    op.create_table('dead_letter_action',
        sa.Column('id', sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column('letter_id', sa.BigInteger(), nullable=True),
        sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('by', sa.String(), nullable=True),
        sa.Column('action', sa.String(), nullable=False),
        sa.Column('result', sa.String(), nullable=False),
        sa.Column('detail', sa.String(), nullable=True),
        sa.ForeignKeyConstraint(['letter_id'], ['dead_letter.id']),
        sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_dead_letter_action_letter_id'), 'dead_letter_action', ['letter_id'], unique=False)


def downgrade() -> None:
    op.drop_table('dead_letter_action')
    op.drop_table('dead_letter_copy')
    op.drop_index('dead_letter_open', table_name='dead_letter')
    op.drop_column('dead_letter', 'discarded_at')
