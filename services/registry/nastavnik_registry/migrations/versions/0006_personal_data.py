"""Consents on people, the trace of personal data, acts of destruction, marks of the erased.

Consents given before are reckoned up; POST /admin/republish?kind=participant tells the others.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEPT = ("personal_trace", "personal_trace_link", "destruction_act")
_REFUSE = """
    create function refuse_change() returns trigger language plpgsql as $$
    begin raise exception 'rows of % are never changed', tg_table_name; end $$
"""
_RECKON = """
    update participant p set
        consents = coalesce(array(select distinct purpose from consent c
            where c.participant_id = p.id and not deleted and withdrawn_on is null
            order by 1), '{}'),
        withdrawn = coalesce(array(select purpose from consent c
            where c.participant_id = p.id and not deleted group by purpose
            having bool_and(withdrawn_on is not null) order by 1), '{}')
    where exists (select from consent c where c.participant_id = p.id and not deleted)
"""


def _array(name: str, of: sa.types.TypeEngine) -> sa.Column:
    return sa.Column(name, postgresql.ARRAY(of), nullable=False, server_default="{}")


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.add_column("participant", _at("erased_at", nullable=True))
    for name in ("birth_year", "teaching_since_year"):
        op.add_column("participant", sa.Column(name, sa.Integer(), nullable=True))
    for name in ("consents", "withdrawn"):
        op.add_column("participant", _array(name, sa.String()))
    op.execute(_RECKON)
    _trace()
    _acts()
    _marks()
    op.execute(_REFUSE)
    for table in _KEPT:
        op.execute(
            f"create trigger {table}_kept before update or delete on {table}"
            " for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger {table}_not_emptied before truncate on {table}"
            " for each statement execute function refuse_change()"
        )


def _trace() -> None:
    op.create_table(
        "personal_trace",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _at("at"),
        sa.Column("actor", sa.String(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        _array("subjects", sa.Uuid()),
        _array("categories", sa.String()),
        sa.Column("correlation_id", sa.String(), nullable=True),
        sa.Column("cause", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "personal_trace_subjects", "personal_trace", ["subjects"], postgresql_using="gin"
    )
    op.create_table(
        "personal_trace_pending",
        sa.Column("entry_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("entry_id"),
    )
    op.create_table(
        "personal_trace_link",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(
        "personal_trace_link_entry", "personal_trace_link", ["entry_id"], unique=True
    )


def _acts() -> None:
    op.create_table(
        "destruction_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        _at("drawn_at"),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=True),
        _array("subjects", sa.Uuid()),
        _array("categories", sa.String()),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("head_seq", sa.BigInteger(), nullable=False),
        sa.Column("head_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("destruction_act_number", "destruction_act", ["year", "number"], unique=True)
    op.create_index(
        "destruction_act_subjects", "destruction_act", ["subjects"], postgresql_using="gin"
    )


def _marks() -> None:
    op.create_table(
        "erasure_salt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "erasure_mark",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("source", "mark"),
    )


def downgrade() -> None:
    for table in (*_KEPT, "personal_trace_pending", "erasure_salt", "erasure_mark"):
        op.drop_table(table)
    op.execute("drop function refuse_change()")
    for name in ("erased_at", "birth_year", "teaching_since_year", "consents", "withdrawn"):
        op.drop_column("participant", name)
