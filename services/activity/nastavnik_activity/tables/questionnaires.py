"""Questionnaires of a region's own. Those that come with the service need no row."""

from typing import Any

from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from nastavnik_activity.tables.base import Base


class StoredQuestionnaire(Base, table=True):
    __tablename__ = "questionnaire"

    code: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
