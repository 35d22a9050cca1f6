"""Surveys as clients send and get them."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from nastavnik_activity.api.fields import Body, Day, FormCode
from nastavnik_activity.domain import surveys
from nastavnik_activity.domain.questionnaires import MAX_ITEMS, Answer
from nastavnik_common import examples
from nastavnik_common.events.activity import (
    RecordStatus,
    RespondentRole,
    Scale,
    SurveyStage,
    SurveyState,
)
from nastavnik_common.examples import example
from nastavnik_common.fields import ABSENT, WHOLE, Whole


class AnswerBody(Body):
    item: str = Field(max_length=63, description="Its code in the questionnaire")
    value: Whole


Answers = Annotated[list[AnswerBody], Field(max_length=MAX_ITEMS)]


class NewSurveyBody(Body):
    """About a mentorship, or about an organisation: exactly one of them is named."""

    model_config = example(
        questionnaire="motivation",
        mentorship_id=examples.MENTORSHIP,
        respondent_id=examples.MENTEE,
        stage="entry",
        date="2026-10-05",
        answers=[
            {"item": "interest", "value": 5},
            {"item": "own_wish", "value": 4},
            {"item": "usefulness", "value": 4},
            {"item": "effort", "value": 3},
            {"item": "would_skip", "value": 1},
        ],
    )

    id: UUID | None = Field(default=None, description="Yours, so that a repeat is recognised")
    questionnaire: FormCode
    questionnaire_version: Annotated[int, Field(ge=1), WHOLE] | None = Field(
        default=None, description="Absent: the latest"
    )
    mentorship_id: UUID | None = None
    organization_id: UUID | None = None
    respondent_id: UUID
    respondent_role: RespondentRole | None = Field(
        default=None,
        description="parent or teacher, about an organisation; about a mentorship it follows",
    )
    stage: SurveyStage
    date: Day
    answers: Answers

    def asked(self) -> surveys.NewSurvey:
        return msgspec.convert(self.model_dump(), surveys.NewSurvey)


class SurveyChanges(Body):
    """A correction: absent fields stay, `answers` are replaced as a whole."""

    model_config = example(date="2026-10-06")

    stage: SurveyStage = ABSENT
    date: Day = ABSENT
    answers: Answers = ABSENT

    def asked(self) -> surveys.Changes:
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if "answers" in given:
            given["answers"] = tuple(Answer(item=a.item, value=a.value) for a in given["answers"])
        return surveys.Changes(**given)


class ScoreView(BaseModel):
    scale: Scale
    value: int = Field(description="Hundredths of a point on a scale from 0 to 10")


class SurveyView(BaseModel):
    id: UUID
    version: int
    organization_id: UUID
    mentorship_id: UUID | None
    respondent_id: UUID
    respondent_role: RespondentRole
    questionnaire: str
    questionnaire_version: int
    stage: SurveyStage
    date: date
    status: RecordStatus
    scores: list[ScoreView]

    @classmethod
    def of(cls, state: SurveyState) -> "SurveyView":
        return cls.model_validate(msgspec.to_builtins(state))


class AnswerView(BaseModel):
    item: str
    value: int


class AnswersView(BaseModel):
    answers: list[AnswerView]
