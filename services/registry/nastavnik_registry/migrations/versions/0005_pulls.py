"""How far the pulls from providers are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _at(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def upgrade() -> None:
    op.create_table(
        "pull",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("run", sa.Uuid(), nullable=True),
        _at("since"),
        _at("read_at"),
        _at("watermark"),
        _at("full_at"),
        sa.Column("wanted", sa.String(), nullable=True),
        sa.Column("collection", sa.String(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("imports", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        _at("started_at"),
        _at("finished_at"),
        sa.PrimaryKeyConstraint("source"),
    )


def downgrade() -> None:
    op.drop_table("pull")
