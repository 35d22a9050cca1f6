"""What schemathesis is taught about these APIs. It runs in a process of its own; `SURFACE` names a
file that says what is there.

Ids drawn at random are of nothing, and a create that names one is refused. So requests that are to
be accepted get ids of what is there; and every other create is the description's example.
"""

import copy
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any
from zlib import crc32

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData

from tests.system.helpers_examples import Json, filled

Case = schemathesis.Case[Any]
_THERE: dict[str, dict[str, list[str]]] = json.loads(Path(os.environ["SURFACE"]).read_text())
"""Names of fields and parameters → ids: the first of that name in a request gets the first."""
_FIELDS, _PARAMETERS, _DATES = (_THERE[part] for part in ("fields", "parameters", "dates"))
_calls: Counter[str] = Counter()

REFUSALS = {
    "cursor.invalid": "only what was given out is a cursor",
    "school_year.malformed": "the second year is the one after the first",
    "value_error:school_year": "the same, in a body",
    "known_on.malformed": "31 June is written like a day",
    "sheet.mapping": "JSON within a parameter",
    "sheet.refused": "rows have rules of their own",
    "import.empty": "a file of any bytes may have none",
    "file.empty": "a file of any bytes is no sheet",
    "file.encoding": "a file of any bytes is no sheet",
    "file.format": "a file of any bytes is no sheet",
    "invalid_selection_field": "a list of names within a parameter of OneRoster",
    "invalid_filter_field": "an expression within a parameter of OneRoster",
    "invaliddata": "an expression within a parameter of OneRoster",
    "version.stale": "412: another version is the current one",
    # what else is there decides
    "form.unknown": "a form must be there",
    "questionnaire.unknown": "a questionnaire must be there",
    "organization.unknown": "an organisation must be there",
    "participant.unknown": "a person must be there",
    "mentorship.unknown": "a mentorship must be there",
    "consent.purpose_unknown": "a purpose must be there",
    "gathering.not_an_organization": "a territory holds none",
    "contribution.not_an_organization": "a territory is given none",
    "mentorship.not_an_organization": "a territory has none",
    "organization.parent_level": "a parent stands higher",
    "session.before_mentorship": "a session is held while the mentorship is active",
    "session.mentorship_not_active": "a session is held while the mentorship is active",
    "session.outsider": "who attends is a member",
    "session.overlaps": "nobody meets twice at a time",
    "survey.respondent_outsider": "who answers is a member",
    "assessment.outsider": "who is assessed is a member",
    # what day it is decides
    "session.in_future": "not yet",
    "assessment.in_future": "not yet",
    "contribution.in_future": "not yet",
    "gathering.in_future": "not yet",
    "survey.in_future": "not yet",
    "assessment.date_out_of_range": "not so long ago",
    "contribution.date_out_of_range": "not so long ago",
    "gathering.date_out_of_range": "not so long ago",
    "survey.date_out_of_range": "not so long ago",
    "mentorship.date_in_future": "not yet",
    "mentorship.date_out_of_range": "not in this school year",
    "consent.in_future": "not yet",
    "participant.training_in_future": "not yet",
    # one field decides about another
    "assessment.mentorship_or_organization": "exactly one",
    "survey.mentorship_or_organization": "exactly one",
    "survey.unknown_item": "the questionnaire has the items",
    "survey.missing_answers": "the questionnaire has the items",
    "survey.duplicate_answer": "one answer an item",
    "survey.stage_not_asked": "the questionnaire has the stages",
    "survey.role_required": "of an organisation somebody answers as somebody",
    "survey.role_mismatch": "of a mentorship a member answers as what they are",
    "survey.role_not_asked": "the questionnaire has the roles",
    "survey.score_outside_scale": "the questionnaire has the scales",
    "questionnaire.bad_range": "the least is less than the most",
    "questionnaire.duplicate": "codes of items are not repeated",
    "mentorship.bad_composition": "a pair is of two",
    "mentorship.duplicate_member": "a member is one once",
    "mentorship.date_backwards": "later than it began",
    "mentorship.reason_required": "who terminates says why",
    "session.too_long": "a day has an end",
    "session.attendance_of_cancelled": "nobody comes to what is not held",
    "session.duplicate_attendance": "one comes once",
    "gathering.attendees_of_cancelled": "nobody comes to what is not held",
    "assessment.bad_value": "two decimal places",
    "contribution.bad_amount": "two decimal places, and so much",
    "contribution.negative": "not less than nothing",
    "organization.kind_required": "an organisation has a kind",
    "organization.kind_forbidden": "a territory has none",
    "organization.parent_or_placements": "one of them",
    "organization.placements_overlap": "one parent at a time",
    "organization.bad_inn": "check digits",
    "organization.bad_ogrn": "check digits",
    "organization.bad_oktmo": "8 or 11 digits",
    "interval.empty": "ends after it begins",
    "participant.memberships_overlap": "one home at a time",
    "participant.birth_date": "a living person's",
    "participant.teaching_since": "after birth",
    "participant.training_date": "after birth",
    "programme.duplicate_document": "one approved document of a kind",
    "programme.duplicate_form": "each form once",
    "programme.duplicate_month": "each month once",
    "programme.month_outside": "of the school year",
    "programme.not_an_organization": "territories have none",
    "consent.signed_on": "a sane date",
    "consent.representative_unexpected": "who signs for themselves",
    "consent.representative_required": "who signs for another",
    "consent.withdrawn_before_signed": "not before it was given",
}
"""Problems that requests as described may meet, for no schema can state the rule."""


@schemathesis.serializer("application/x-ndjson")
def ndjson(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """The text as it is."""
    return (value if isinstance(value, str) else json.dumps(value)).encode(errors="replace")


@schemathesis.hook
def before_call(_: Any, case: Case, kwargs: Json) -> None:
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    _calls[case.operation.label] += 1
    again = _calls[case.operation.label]
    if isinstance(case.body, dict) and case.media_type == "application/json":
        example = _example(case) if again % 2 else None
        body = filled(example or case.body, _FIELDS, Counter())
        case.body = _dated(body, again) if example else body
    for part in (case.query, case.path_parameters):
        if part and again % 2:
            part.update({name: _PARAMETERS[name][0] for name in part if name in _PARAMETERS})


@schemathesis.hook
def filter_case(_: Any, case: Case) -> bool:
    """A part of the many values of wrong types, which are nearly half of all requests."""
    phase = case.meta.phase.data if case.meta else None
    if getattr(phase, "scenario", None) != "incorrect_type":
        return True
    return crc32(f"{case.operation.label} {phase}".encode()) % 5 == 0


@schemathesis.hook
def filter_failure(_: Any, failure: Failure, case: Case, response: schemathesis.Response) -> bool:
    """False: it is none."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    return not _codes(response) <= REFUSALS.keys()


def _codes(response: schemathesis.Response) -> set[str]:
    """Of a problem; where the request has not the form described: which rule, and of what."""
    try:
        problem = response.json()
    except ValueError:
        return {"no problem document"}
    if "imsx_CodeMinor" in problem:
        return {each["imsx_codeMinorFieldValue"] for each in _fields(problem["imsx_CodeMinor"])}
    if problem["code"] == "request.invalid":
        return {f"{e['code']}:{e['location'].rpartition('.')[2]}" for e in problem["errors"]}
    return {problem["code"]}


def _fields(minor: Json) -> list[Json]:
    found: list[Json] = minor["imsx_codeMinorField"]
    return found


def _example(case: Case) -> Json | None:
    """The body to create with that is described."""
    if case.method != "POST":
        return None
    for body in case.operation.body:
        for found in body.examples:
            if isinstance(found, dict):
                return copy.deepcopy(found)
    return None


def _dated(body: Json, again: int) -> Json:
    """Of now; sessions one after the other."""
    made: Json = filled(body, _DATES, Counter())
    if "starts_at" in made:
        minutes = 5 * again
        made["starts_at"] = f"{_DATES['date'][0]}T{minutes // 60:02d}:{minutes % 60:02d}:00Z"
        made["duration_minutes"] = 5
    return made
