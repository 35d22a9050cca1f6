"""What all rows share."""

from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, Uuid, func
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class Base(SQLModel, registry=registry()):
    """The registry's own metadata."""


def moment() -> Any:
    return Field(
        default=None,
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={"server_default": func.now(), "nullable": False},
    )


def reference(target: str) -> Any:
    return Column(Uuid, ForeignKey(target), nullable=False)
