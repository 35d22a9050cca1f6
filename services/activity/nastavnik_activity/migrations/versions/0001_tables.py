"""Everything the service begins with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # the constraint against overlapping sessions compares ids and times in one index
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table('dead_letter',
        sa.Column('id', sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column('topic', sa.String(), nullable=False),
        sa.Column('partition', sa.Integer(), nullable=False),
        sa.Column('offset', sa.BigInteger(), nullable=False),
        sa.Column('key', sa.LargeBinary(), nullable=True),
        sa.Column('headers', sa.LargeBinary(), nullable=False),
        sa.Column('value', sa.LargeBinary(), nullable=True),
        sa.Column('code', sa.String(), nullable=False),
        sa.Column('error', sa.String(), nullable=False),
        sa.Column('parked_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('id')
    )
    op.create_table('form',
        sa.Column('code', sa.String(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('federal_form', sa.String(), nullable=False),
        sa.PrimaryKeyConstraint('code')
    )
    op.create_table('idempotency',
        sa.Column('key', sa.String(), nullable=False),
        sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
        sa.Column('status', sa.Integer(), nullable=False),
        sa.Column('headers', sa.String(), nullable=False),
        sa.Column('body', sa.LargeBinary(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.PrimaryKeyConstraint('key')
    )
    op.create_table('mentorship',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('version', sa.BigInteger(), nullable=False),
        sa.Column('deleted', sa.Boolean(), nullable=False),
        sa.Column('organization_id', sa.Uuid(), nullable=False),
        sa.Column('type', sa.String(), nullable=False),
        sa.Column('form', sa.String(), nullable=False),
        sa.Column('federal_form', sa.String(), nullable=False),
        sa.Column('status', sa.String(), nullable=False),
        sa.Column('member_ids', postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column('member_roles', postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column('period_since', postgresql.ARRAY(sa.Date()), nullable=False),
        sa.Column('period_until', postgresql.ARRAY(sa.Date()), nullable=False),
        sa.Column('sessions_per_month', sa.SmallInteger(), nullable=True),
        sa.Column('reason', sa.String(), nullable=True),
        sa.Column('last_on', sa.Date(), nullable=True),
        sa.Column('created_as', sa.LargeBinary(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_mentorship_members', 'mentorship', ['member_ids'], unique=False, postgresql_using='gin')
    op.create_index('ix_mentorship_organization', 'mentorship', ['organization_id', 'id'], unique=False)
    op.create_table('outbox',
        sa.Column('id', sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column('topic', sa.String(), nullable=False),
        sa.Column('key', sa.String(), nullable=False),
        sa.Column('partition_key', sa.String(), nullable=False),
        sa.Column('headers', sa.LargeBinary(), nullable=False),
        sa.Column('value', sa.LargeBinary(), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.PrimaryKeyConstraint('id')
    )
    op.create_table('replica_organization',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('version', sa.BigInteger(), nullable=False),
        sa.Column('deleted', sa.Boolean(), nullable=False),
        sa.Column('level', sa.String(), nullable=True),
        sa.PrimaryKeyConstraint('id')
    )
    op.create_table('replica_participant',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('version', sa.BigInteger(), nullable=False),
        sa.Column('deleted', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('id')
    )
    op.create_table('session',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('version', sa.BigInteger(), nullable=False),
        sa.Column('deleted', sa.Boolean(), nullable=False),
        sa.Column('mentorship_id', sa.Uuid(), nullable=False),
        sa.Column('organization_id', sa.Uuid(), nullable=False),
        sa.Column('status', sa.String(), nullable=False),
        sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('offset_minutes', sa.SmallInteger(), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('duration_minutes', sa.SmallInteger(), nullable=False),
        sa.Column('technology', sa.String(), nullable=True),
        sa.Column('audience', postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column('participant_ids', postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column('attended', postgresql.ARRAY(sa.Boolean()), nullable=False),
        sa.Column('void_reason', sa.String(), nullable=True),
        sa.Column('created_as', sa.LargeBinary(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        postgresql.ExcludeConstraint((sa.column('mentorship_id'), '='), (sa.text('tstzrange(starts_at, ends_at)'), '&&'), where=sa.text("status = 'held' AND NOT deleted"), using='gist', name='session_no_overlap'),
        sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_session_mentorship', 'session', ['mentorship_id', 'starts_at'], unique=False)
    op.create_index('ix_session_organization', 'session', ['organization_id', 'id'], unique=False)


def downgrade() -> None:
    op.drop_table('session')
    op.drop_table('replica_participant')
    op.drop_table('replica_organization')
    op.drop_table('outbox')
    op.drop_table('mentorship')
    op.drop_table('idempotency')
    op.drop_table('form')
    op.drop_table('dead_letter')
