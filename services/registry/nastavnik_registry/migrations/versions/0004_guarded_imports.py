"""Sources, what each import changed, and what was set aside."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_JSON = postgresql.JSONB(astext_type=sa.Text())


def _moment(name: str) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def upgrade() -> None:
    _sources()
    _jobs()
    _changes()
    _quarantine()


def _sources() -> None:
    op.create_table(
        "import_source",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("mapping", _JSON, nullable=False),
        sa.Column("breaker_percent", sa.Integer(), nullable=False),
        sa.Column("vanished", sa.String(), nullable=False),
        sa.Column("partial", sa.Boolean(), nullable=False),
        _moment("created_at"),
        _moment("changed_at"),
        sa.PrimaryKeyConstraint("code"),
    )


def _jobs() -> None:
    """With defaults, so that a replica of the release before can still queue."""
    for name in ("dry_run", "confirmed"):
        column = sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        op.add_column("import_job", column)
    quarantined = sa.Column("quarantined", sa.Integer(), nullable=False, server_default="0")
    op.add_column("import_job", quarantined)
    op.add_column("import_job", sa.Column("mark", sa.String(), nullable=True))
    op.add_column("import_job", sa.Column("held", _JSON, nullable=True))
    for name in ("undoes", "undone_by"):
        op.add_column("import_job", sa.Column(name, sa.Uuid(), nullable=True))


def _changes() -> None:
    op.create_table(
        "import_change",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("outside", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("before", _JSON, nullable=True),
        sa.Column("after", _JSON, nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=True),
        sa.Column("restored", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("import_id", "seq"),
    )
    op.create_index("import_change_entity", "import_change", ["entity_id"], unique=False)


def _quarantine() -> None:
    op.create_table(
        "import_quarantine",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("outside", sa.String(), nullable=True),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("column", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "import_quarantine_source", "import_quarantine", ["source", "outside"], unique=False
    )
    op.create_index("import_quarantine_import", "import_quarantine", ["import_id"], unique=False)


def downgrade() -> None:
    for table in ("import_quarantine", "import_change", "import_source"):
        op.drop_table(table)
    for name in ("dry_run", "confirmed", "mark", "held", "quarantined", "undoes", "undone_by"):
        op.drop_column("import_job", name)
