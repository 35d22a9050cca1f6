"""Surveys: one person's answers to a questionnaire, kept as scores.

About a mentorship, it is answered by a mentor or mentee of it, and once at entry and once at exit.
About an organisation, a parent or teacher answers, and the stages are those of a school year.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from nastavnik_activity.domain import questionnaires, records
from nastavnik_activity.domain.questionnaires import MAX_ITEMS, Answer, Code, Questionnaire
from nastavnik_activity.domain.records import Day, Ledger, Scope, given
from nastavnik_common import clock
from nastavnik_common.errors import DomainError
from nastavnik_common.events.activity import RespondentRole, SurveyStage, SurveyState

Answers = Annotated[tuple[Answer, ...], Meta(max_length=MAX_ITEMS)]


class NewSurvey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client asks for. Without a version: the latest of the questionnaire."""

    id: UUID | None = None
    questionnaire: Code
    questionnaire_version: Annotated[int, Meta(ge=1)] | None = None
    mentorship_id: UUID | None = None
    organization_id: UUID | None = None
    respondent_id: UUID
    respondent_role: RespondentRole | None = None
    stage: SurveyStage
    date: Day
    answers: Answers


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """A correction; UNSET leaves a field as it is."""

    stage: SurveyStage | UnsetType = UNSET
    date: Day | UnsetType = UNSET
    answers: tuple[Answer, ...] | UnsetType = UNSET


def submit(
    new: NewSurvey, ident: UUID, scope: Scope, asked: Questionnaire, now: datetime
) -> SurveyState:
    """The first state. What else the respondent said is for the caller to check, with a ledger."""
    records.check_day("survey", new.date, now)
    role = _role(new, scope)
    if role not in asked.respondents:
        raise DomainError("survey.role_not_asked", f"The questionnaire is not for a {role}.")
    _check_stage(asked, new.stage)
    return SurveyState(
        id=ident,
        version=1,
        organization_id=scope.organization_id,
        mentorship_id=scope.mentorship_id,
        respondent_id=new.respondent_id,
        respondent_role=role,
        questionnaire=asked.code,
        questionnaire_version=asked.version,
        stage=new.stage,
        date=new.date,
        status="valid",
        scores=questionnaires.scores(asked, new.answers),
    )


def correct(
    state: SurveyState,
    changes: Changes,
    asked: Questionnaire,
    now: datetime,
    stored: tuple[Answer, ...],
) -> SurveyState:
    """The corrected state; the same object when nothing changes, the `stored` answers included."""
    records.check_valid("survey", state.status)
    answers = given(changes.answers, stored)
    after = msgspec.structs.replace(
        state,
        stage=given(changes.stage, state.stage),
        date=given(changes.date, state.date),
        scores=questionnaires.scores(asked, answers),
    )
    if after.date != state.date:
        records.check_day("survey", after.date, now)
    _check_stage(asked, after.stage)
    if ordered(answers) != ordered(stored):
        return msgspec.structs.replace(after, version=state.version + 1)
    return records.newer(state, after)


def ordered(answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    return tuple(sorted(answers, key=lambda answer: (answer.item, answer.value)))


def ledger() -> Ledger:
    return Ledger("survey", "entry", "exit", "exit_before_entry")


def group(state: SurveyState) -> tuple[UUID, UUID, str, int]:
    """What is compared: of one respondent, about one thing, by one questionnaire."""
    year = 0 if state.mentorship_id else clock.school_year(state.date)
    return scope_id(state), state.respondent_id, state.questionnaire, year


def scope_id(state: SurveyState) -> UUID:
    """Also what chooses the partition."""
    return state.mentorship_id or state.organization_id


def slot(state: SurveyState) -> int:
    """With the scope, respondent, questionnaire and stage: what is recorded once only."""
    return state.date.toordinal() if state.stage == "interim" else group(state)[3]


def _role(new: NewSurvey, scope: Scope) -> RespondentRole:
    if scope.mentorship is None:
        if new.respondent_role not in ("parent", "teacher"):
            raise DomainError(
                "survey.role_required", "Of an organisation, say: a parent or a teacher answers."
            )
        return new.respondent_role
    roles = scope.roles(new.respondent_id)
    if not roles:
        raise DomainError("survey.respondent_outsider", "The respondent is not in the mentorship.")
    for role in ("mentor", "mentee"):
        if role in roles:
            if new.respondent_role not in (None, role):
                raise DomainError("survey.role_mismatch", f"In the mentorship it is the {role}.")
            return role
    raise DomainError("survey.role_not_asked", "Curators are not asked.")


def _check_stage(asked: Questionnaire, stage: SurveyStage) -> None:
    if stage not in asked.stages:
        raise DomainError("survey.stage_not_asked", f"It is not answered at {stage}.")
