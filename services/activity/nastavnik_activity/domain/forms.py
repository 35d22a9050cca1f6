"""Forms of mentoring: the federal five, and local ones that each map to one of them."""

from typing import Annotated, get_args

from msgspec import Meta

from nastavnik_common.events.activity import FederalForm

CODE_PATTERN = r"^[a-z][a-z0-9_]{1,62}$"
FormCode = Annotated[str, Meta(pattern=CODE_PATTERN)]

NAMES: dict[FederalForm, str] = {
    "student_student": "Ученик – ученик",
    "teacher_teacher": "Учитель – учитель",
    "university_student_pupil": "Студент – ученик",
    "employer_pupil": "Работодатель – ученик",
    "employer_student": "Работодатель – студент",
}
FEDERAL: dict[str, FederalForm] = {code: code for code in get_args(FederalForm)}
"""Code → federal form, for the forms that need no row."""
