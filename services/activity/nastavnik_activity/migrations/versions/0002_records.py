"""Questionnaires, surveys, assessments, contributions and gatherings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _record() -> list[sa.Column]:
    """The columns that all records have."""
    return [
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('version', sa.BigInteger(), nullable=False),
        sa.Column('deleted', sa.Boolean(), nullable=False),
        sa.Column('organization_id', sa.Uuid(), nullable=False),
        sa.Column('status', sa.String(), nullable=False),
        sa.Column('void_reason', sa.String(), nullable=True),
        sa.Column('created_as', sa.LargeBinary(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    ]


def upgrade() -> None:
    op.create_table('questionnaire',
        sa.Column('code', sa.String(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('content', postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint('code', 'version')
    )
    op.create_table('survey',
        *_record(),
        sa.Column('mentorship_id', sa.Uuid(), nullable=True),
        sa.Column('respondent_id', sa.Uuid(), nullable=False),
        sa.Column('respondent_role', sa.String(), nullable=False),
        sa.Column('questionnaire', sa.String(), nullable=False),
        sa.Column('questionnaire_version', sa.SmallInteger(), nullable=False),
        sa.Column('stage', sa.String(), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('scales', postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column('scores', postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column('scope_id', sa.Uuid(), nullable=False),
        sa.Column('slot', sa.Integer(), nullable=False),
        sa.Column('answer_items', postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column('answer_values', postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_survey_organization', 'survey', ['organization_id', 'id'], unique=False)
    op.create_index('ix_survey_respondent', 'survey', ['respondent_id'], unique=False)
    op.create_index('uq_survey_stage', 'survey', ['scope_id', 'respondent_id', 'questionnaire', 'stage', 'slot'], unique=True, postgresql_where=sa.text("status = 'valid' AND NOT deleted"))
    op.create_index('ix_survey_mentorship', 'survey', ['mentorship_id'], unique=False)
    op.create_table('assessment',
        *_record(),
        sa.Column('mentorship_id', sa.Uuid(), nullable=True),
        sa.Column('subject_kind', sa.String(), nullable=False),
        sa.Column('subject_id', sa.Uuid(), nullable=False),
        sa.Column('domain', sa.String(), nullable=False),
        sa.Column('instrument', sa.String(), nullable=False),
        sa.Column('stage', sa.String(), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('value', sa.BigInteger(), nullable=False),
        sa.Column('higher_is_better', sa.Boolean(), nullable=False),
        sa.Column('scope_id', sa.Uuid(), nullable=False),
        sa.Column('school_year', sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_assessment_mentorship', 'assessment', ['mentorship_id'], unique=False)
    op.create_index('ix_assessment_organization', 'assessment', ['organization_id', 'id'], unique=False)
    op.create_index('ix_assessment_subject', 'assessment', ['subject_id'], unique=False)
    op.create_index('uq_assessment_stage', 'assessment', ['scope_id', 'subject_id', 'domain', 'instrument', 'school_year', 'stage'], unique=True, postgresql_where=sa.text("status = 'valid' AND NOT deleted"))
    op.create_table('contribution',
        *_record(),
        sa.Column('partner_kind', sa.String(), nullable=False),
        sa.Column('partner_id', sa.Uuid(), nullable=True),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('kopecks', sa.BigInteger(), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_contribution_organization', 'contribution', ['organization_id', 'id'], unique=False)
    op.create_table('gathering',
        *_record(),
        sa.Column('day', sa.Date(), nullable=False),
        sa.Column('duration_minutes', sa.SmallInteger(), nullable=False),
        sa.Column('technology', sa.String(), nullable=True),
        sa.Column('audience', postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column('attendees', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_gathering_organization', 'gathering', ['organization_id', 'id'], unique=False)


def downgrade() -> None:
    op.drop_table('gathering')
    op.drop_table('contribution')
    op.drop_table('assessment')
    op.drop_table('survey')
    op.drop_table('questionnaire')
