"""This service's metadata, the tables every service has, and columns that recur."""

from typing import Any

from sqlalchemy import Column, DateTime, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from nastavnik_common.dead_letters import dead_letter_table
from nastavnik_common.idempotency import idempotency_table
from nastavnik_common.outbox import outbox_table


class Base(SQLModel, registry=registry()):
    """This service's own metadata."""


outbox = outbox_table(Base.metadata)
idempotency = idempotency_table(Base.metadata)
dead_letter = dead_letter_table(Base.metadata)


def array(kind: Any, **more: Any) -> Any:
    return Column(ARRAY(kind), nullable=False, **more)


def created_at() -> Any:
    return Column(DateTime(timezone=True), nullable=False, server_default=func.now())
