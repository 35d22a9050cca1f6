"""Surveys. The answers stay in this table; events and the lists of the API have the scores."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Index, SmallInteger, String, text
from sqlmodel import Field

from nastavnik_activity.domain import surveys as rules
from nastavnik_activity.tables.base import array
from nastavnik_activity.tables.records import Record, Sort
from nastavnik_common.events import SURVEY
from nastavnik_common.events.activity import Score, SurveyState


class Survey(Record, table=True):
    """`scope_id` is the mentorship, or else the organisation. Writers lock its row before they
    look for other responses; the unique index is the last word, should one forget to."""

    __table_args__ = (
        Index(
            "uq_survey_stage",
            "scope_id",
            "respondent_id",
            "questionnaire",
            "stage",
            "slot",
            unique=True,
            postgresql_where=text("status = 'valid' AND NOT deleted"),
        ),
        Index("ix_survey_mentorship", "mentorship_id"),
        Index("ix_survey_organization", "organization_id", "id"),
        Index("ix_survey_respondent", "respondent_id"),
    )

    mentorship_id: UUID | None = None
    respondent_id: UUID
    respondent_role: str
    questionnaire: str
    questionnaire_version: int = Field(sa_type=SmallInteger)
    stage: str
    day: date
    scales: list[str] = Field(sa_column=array(String()))
    scores: list[int] = Field(sa_column=array(SmallInteger()))
    scope_id: UUID
    slot: int
    answer_items: list[str] = Field(sa_column=array(String()))
    answer_values: list[int] = Field(sa_column=array(SmallInteger()))


def _values(state: SurveyState) -> tuple[Any, ...]:
    return (
        state.id,
        state.version,
        state.organization_id,
        state.status,
        state.mentorship_id,
        state.respondent_id,
        state.respondent_role,
        state.questionnaire,
        state.questionnaire_version,
        state.stage,
        state.date,
        [score.scale for score in state.scores],
        [score.value for score in state.scores],
        rules.scope_id(state),
        rules.slot(state),
    )


def _state(row: Any) -> SurveyState:
    return SurveyState(
        id=row.id,
        version=row.version,
        organization_id=row.organization_id,
        status=row.status,
        mentorship_id=row.mentorship_id,
        respondent_id=row.respondent_id,
        respondent_role=row.respondent_role,
        questionnaire=row.questionnaire,
        questionnaire_version=row.questionnaire_version,
        stage=row.stage,
        date=row.day,
        scores=tuple(
            Score(scale=scale, value=value)
            for scale, value in zip(row.scales, row.scores, strict=True)
        ),
    )


SURVEYS = Sort(
    kind=SURVEY,
    table=Survey,
    columns=(
        "id",
        "version",
        "organization_id",
        "status",
        "mentorship_id",
        "respondent_id",
        "respondent_role",
        "questionnaire",
        "questionnaire_version",
        "stage",
        "day",
        "scales",
        "scores",
        "scope_id",
        "slot",
    ),
    values=_values,
    state=_state,
    first=lambda _: "submitted",
    partition=rules.scope_id,
)
