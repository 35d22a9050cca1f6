"""What all rows share."""

from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, Uuid, func
from sqlalchemy.dialects.postgresql import ARRAY
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


def array(of: Any) -> Any:
    return Field(sa_column=Column(ARRAY(of), nullable=False, server_default="{}"))


def reference(target: str) -> Any:
    return Column(Uuid, ForeignKey(target), nullable=False)
