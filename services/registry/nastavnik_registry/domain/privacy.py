"""Rules of personal data: its categories, the purposes of consents, what destroys it. Pure."""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

Category = Literal[
    "name", "birth_date", "contacts", "work", "memberships", "trainings", "outside_ids", "consents"
]
CATEGORIES_RU: dict[str, str] = {
    "name": "фамилия, имя, отчество",
    "birth_date": "дата рождения",
    "contacts": "телефон, адрес электронной почты",
    "work": "дата начала педагогической работы",
    "memberships": "организации, в которых состоит или состоял субъект",
    "trainings": "пройденное обучение",
    "outside_ids": "идентификаторы в других системах, в том числе СНИЛС",
    "consents": "согласия, в том числе имя законного представителя",
}
_OF_FIELD: dict[str, Category] = {
    "family_name": "name",
    "given_name": "name",
    "middle_name": "name",
    "birth_date": "birth_date",
    "email": "contacts",
    "phone": "contacts",
    "teaching_since": "work",
    "memberships": "memberships",
    "trainings": "trainings",
    "external_ids": "outside_ids",
    "consents": "consents",
}
WHOLE: tuple[Category, ...] = tuple(dict.fromkeys(_OF_FIELD.values()))
RECORD = tuple(category for category in WHOLE if category != "consents")
ERASED: tuple[Category, ...] = ("name", "birth_date", "contacts", "work", "outside_ids", "consents")
"""What an erasure destroys; of dates the years stay, of consents purpose and days."""
MENTORING, CONTACTS = "mentoring", "contacts"
Basis = Literal["subject_request", "consent_withdrawn", "purpose_achieved", "unlawful_processing"]
BASES_RU: dict[str, str] = {
    "subject_request": "требование субъекта персональных данных",
    "consent_withdrawn": "отзыв согласия на обработку персональных данных",
    "purpose_achieved": "достижение цели обработки персональных данных",
    "unlawful_processing": "выявлена неправомерная обработка персональных данных",
    "recorded_by_mistake": "запись внесена ошибочно",
    "removed_by_import": "субъект исключён системой, из которой получены данные",
}


class Purpose(NamedTuple):
    code: str
    ru: str
    en: str
    needs: tuple[str, ...]


@cache
def purposes() -> dict[str, Purpose]:
    """Code → purpose, as shipped."""
    text = resources.files(__package__).joinpath("purposes.toml").read_text()
    return {
        code: Purpose(code, about["ru"], about["en"], tuple(about["needs"]))
        for code, about in tomllib.loads(text).items()
    }


def categories(fields: Iterable[str]) -> list[str]:
    """Those that the named fields belong to."""
    found = {_OF_FIELD[name] for name in fields if name in _OF_FIELD}
    return [category for category in WHOLE if category in found]


def standing(given: Iterable[tuple[str, bool]]) -> tuple[list[str], list[str]]:
    """(purpose, withdrawn) of a person's consents → purposes consented to, and withdrawn ones."""
    rows = list(given)
    open_ = {purpose for purpose, withdrawn in rows if not withdrawn}
    return sorted(open_), sorted({purpose for purpose, _ in rows} - open_)
