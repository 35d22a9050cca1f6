"""Programmes, trainings, consents and reference counts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _moment(name: str) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _list(name: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=False)


def upgrade() -> None:
    op.create_table(
        "training",
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["participant_id"], ["participant.id"]),
        sa.PrimaryKeyConstraint("participant_id", "role", "completed_on"),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("text_version", sa.String(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("representative_name", sa.String(), nullable=True),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        _moment("created_at"),
        _moment("changed_at"),
        sa.ForeignKeyConstraint(["participant_id"], ["participant.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("consent_participant", "consent", ["participant_id"], unique=False)
    op.create_table(
        "programme",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        _list("mechanisms"),
        _list("documents"),
        _list("forms"),
        _list("plan"),
        sa.Column("curator_id", sa.Uuid(), nullable=True),
        sa.Column("methodical_materials", sa.Boolean(), nullable=False),
        sa.Column("material_base", sa.Boolean(), nullable=False),
        sa.Column("staffed", sa.Boolean(), nullable=False),
        sa.Column("psychological_support", sa.Boolean(), nullable=False),
        _moment("created_at"),
        _moment("changed_at"),
        sa.ForeignKeyConstraint(["organization_id"], ["org_unit.id"]),
        sa.ForeignKeyConstraint(["curator_id"], ["participant.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "programme_live",
        "programme",
        ["organization_id", "school_year"],
        unique=True,
        postgresql_where=sa.text("not deleted"),
    )
    op.create_index("programme_curator", "programme", ["curator_id"], unique=False)
    op.create_table(
        "reference_count",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("population", sa.String(), nullable=False),
        sa.Column("headcount", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        _moment("created_at"),
        _moment("changed_at"),
        sa.ForeignKeyConstraint(["organization_id"], ["org_unit.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "reference_count_live",
        "reference_count",
        ["organization_id", "school_year", "population"],
        unique=True,
        postgresql_where=sa.text("not deleted"),
    )


def downgrade() -> None:
    for table in ("reference_count", "programme", "consent", "training"):
        op.drop_table(table)
