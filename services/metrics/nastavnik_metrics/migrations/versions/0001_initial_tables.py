"""Initial tables"""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('assessment',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('subject_id', sa.Uuid(), nullable=True),
    sa.Column('of_organization', sa.Boolean(), nullable=True),
    sa.Column('mentorship_id', sa.Uuid(), nullable=True),
    sa.Column('state', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_assessment_mentorship_id'), 'assessment', ['mentorship_id'], unique=False)
    op.create_index(op.f('ix_assessment_subject_id'), 'assessment', ['subject_id'], unique=False)
    op.create_table('attendance',
    sa.Column('participant_id', sa.Uuid(), nullable=False),
    sa.Column('mentorship_id', sa.Uuid(), nullable=False),
    sa.Column('school_month', sa.Integer(), nullable=False),
    sa.Column('held', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('participant_id', 'mentorship_id', 'school_month')
    )
    op.create_table('cell',
    sa.Column('organization_id', sa.Uuid(), nullable=False),
    sa.Column('school_month', sa.Integer(), nullable=False),
    sa.Column('slice', sa.String(), nullable=False),
    sa.Column('measure', sa.String(), nullable=False),
    sa.Column('value', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('organization_id', 'school_month', 'slice', 'measure')
    )
    op.create_table('contribution',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('state', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
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
    op.create_table('gathering',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('state', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('indicator_value',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('numerator', sa.BigInteger(), nullable=False),
    sa.Column('denominator', sa.BigInteger(), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('mentorship',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('state', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('mentorship_member',
    sa.Column('participant_id', sa.Uuid(), nullable=False),
    sa.Column('mentorship_id', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('participant_id', 'mentorship_id')
    )
    op.create_index(op.f('ix_mentorship_member_mentorship_id'), 'mentorship_member', ['mentorship_id'], unique=False)
    op.create_table('organization',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('state', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
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
    op.create_table('owner',
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('cells', sa.JSON(), nullable=True),
    sa.Column('organizations', sa.ARRAY(sa.Uuid()), server_default='{}', nullable=False),
    sa.PrimaryKeyConstraint('kind', 'id')
    )
    op.create_index('owner_organizations', 'owner', ['organizations'], unique=False, postgresql_using='gin')
    op.create_table('participant',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('state', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('programme',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('state', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('reference_count',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('state', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('session',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('mentorship_id', sa.Uuid(), nullable=True),
    sa.Column('day', sa.Date(), nullable=True),
    sa.Column('held', sa.Boolean(), nullable=False),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.Column('technology', sa.String(), nullable=True),
    sa.Column('audience', sa.ARRAY(sa.String()), nullable=False),
    sa.Column('attended', sa.ARRAY(sa.Uuid()), nullable=False),
    sa.Column('expected', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_session_mentorship_id'), 'session', ['mentorship_id'], unique=False)
    op.create_table('stale',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.Uuid(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('stream_position',
    sa.Column('topic', sa.String(), nullable=False),
    sa.Column('partition', sa.Integer(), nullable=False),
    sa.Column('cluster_id', sa.String(), nullable=False),
    sa.Column('next_offset', sa.BigInteger(), nullable=False),
    sa.Column('applied', sa.BigInteger(), nullable=False),
    sa.Column('superseded', sa.BigInteger(), nullable=False),
    sa.Column('parked', sa.BigInteger(), nullable=False),
    sa.Column('skipped', sa.BigInteger(), nullable=False),
    sa.Column('watermark', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('topic', 'partition')
    )
    op.create_table('survey',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=True),
    sa.Column('mentorship_id', sa.Uuid(), nullable=True),
    sa.Column('state', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_survey_mentorship_id'), 'survey', ['mentorship_id'], unique=False)
    op.create_index(op.f('ix_survey_person_id'), 'survey', ['person_id'], unique=False)
    op.create_table('target',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('state', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('value_change',
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('value_id', sa.Uuid(), nullable=False),
    sa.Column('organization_id', sa.Uuid(), nullable=False),
    sa.Column('school_year', sa.Integer(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('seq')
    )
    op.create_index('value_change_about', 'value_change', ['organization_id', 'school_year', 'recorded_at'], unique=False)
    op.create_index('value_change_of', 'value_change', ['value_id', 'seq'], unique=False)


def downgrade() -> None:
    op.drop_index('value_change_of', table_name='value_change')
    op.drop_index('value_change_about', table_name='value_change')
    op.drop_table('value_change')
    op.drop_table('target')
    op.drop_index(op.f('ix_survey_person_id'), table_name='survey')
    op.drop_index(op.f('ix_survey_mentorship_id'), table_name='survey')
    op.drop_table('survey')
    op.drop_table('stream_position')
    op.drop_table('stale')
    op.drop_index(op.f('ix_session_mentorship_id'), table_name='session')
    op.drop_table('session')
    op.drop_table('reference_count')
    op.drop_table('programme')
    op.drop_table('participant')
    op.drop_index('owner_organizations', table_name='owner', postgresql_using='gin')
    op.drop_table('owner')
    op.drop_table('outbox')
    op.drop_table('organization')
    op.drop_index(op.f('ix_mentorship_member_mentorship_id'), table_name='mentorship_member')
    op.drop_table('mentorship_member')
    op.drop_table('mentorship')
    op.drop_table('indicator_value')
    op.drop_table('gathering')
    op.drop_table('dead_letter')
    op.drop_table('contribution')
    op.drop_table('cell')
    op.drop_table('attendance')
    op.drop_index(op.f('ix_assessment_subject_id'), table_name='assessment')
    op.drop_index(op.f('ix_assessment_mentorship_id'), table_name='assessment')
    op.drop_table('assessment')
