"""Questionnaires as clients send and get them."""

from typing import Annotated

import msgspec
from pydantic import Field, StrictBool

from nastavnik_activity.api.fields import Body, FormCode
from nastavnik_activity.domain import questionnaires
from nastavnik_activity.domain.questionnaires import MAX_ITEMS
from nastavnik_common.events.activity import RespondentRole, Scale, SurveyStage
from nastavnik_common.examples import example
from nastavnik_common.fields import WHOLE

Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
Bound = Annotated[int, Field(ge=-1000, le=1000), WHOLE]
Version = Annotated[int, Field(ge=1, le=10_000), WHOLE]


class WordingBody(Body):
    ru: Text
    en: Text | None = None


class ItemBody(Body):
    code: FormCode
    text: WordingBody
    scale: Scale
    min: Bound
    max: Bound
    reversed: StrictBool = Field(default=False, description="Less is more")


class QuestionnaireBody(Body):
    """Answered by whole numbers. A version never changes: a change is the next version."""

    model_config = example(
        code="meeting_quality",
        version=1,
        title={"ru": "Как прошла встреча", "en": "How the meeting went"},
        respondents=["mentee"],
        stages=["interim"],
        items=[
            {
                "code": "useful",
                "text": {"ru": "Встреча была полезной"},
                "scale": "satisfaction",
                "min": 1,
                "max": 5,
            }
        ],
    )

    code: FormCode
    version: Version
    title: WordingBody
    respondents: list[RespondentRole] = Field(min_length=1, max_length=4)
    stages: list[SurveyStage] = Field(min_length=1, max_length=3)
    items: list[ItemBody] = Field(min_length=1, max_length=MAX_ITEMS)

    def asked(self) -> questionnaires.Questionnaire:
        return msgspec.convert(self.model_dump(), questionnaires.Questionnaire)

    @classmethod
    def of(cls, found: questionnaires.Questionnaire) -> "QuestionnaireBody":
        return cls.model_validate(msgspec.to_builtins(found))
