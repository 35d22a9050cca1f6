"""Questionnaires: versioned data. A version never changes; a change is a new version beside it."""

import tomllib
from collections import Counter
from functools import cache
from importlib import resources
from math import lcm
from typing import Annotated

import msgspec
from msgspec import Meta

from nastavnik_common.errors import DomainError
from nastavnik_common.events.activity import RespondentRole, Scale, Score, SurveyStage

MAX_ITEMS = 200
FILE = "questionnaires.toml"
# \Z, as $ would take a line break at the end
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,62}\Z")]
Text = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Bound = Annotated[int, Meta(ge=-1000, le=1000)]
Key = tuple[str, int]
"""Code and version."""


class Wording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ru: Text
    en: Text | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question answered by a whole number from `min` to `max`; of a reversed one less is more."""

    code: Code
    text: Wording
    scale: Scale
    min: Bound
    max: Bound
    reversed: bool = False


class Questionnaire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: Code
    version: Annotated[int, Meta(ge=1, le=10_000)]
    title: Wording
    respondents: Annotated[tuple[RespondentRole, ...], Meta(min_length=1, max_length=4)]
    stages: Annotated[tuple[SurveyStage, ...], Meta(min_length=1, max_length=3)]
    items: Annotated[tuple[Item, ...], Meta(min_length=1, max_length=MAX_ITEMS)]

    @property
    def key(self) -> Key:
        return self.code, self.version


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    item: str
    value: int


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    questionnaire: tuple[Questionnaire, ...]


def checked(found: Questionnaire) -> Questionnaire:
    """The same, if it holds together. DomainError: what does not, and in which item."""
    for number, item in enumerate(found.items):
        if item.min >= item.max:
            raise DomainError(
                "questionnaire.bad_range", f"items[{number}]: min must be less than max."
            )
    for name, values in (
        ("items", [item.code for item in found.items]),
        ("respondents", list(found.respondents)),
        ("stages", list(found.stages)),
    ):
        if len(set(values)) != len(values):
            raise DomainError("questionnaire.duplicate", f"{name}: something is named twice.")
    return found


def load(text: str, source: str) -> dict[Key, Questionnaire]:
    """The questionnaires of a TOML document. ValueError: where in the source, and what."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{source}: {error}") from error
    try:
        file = msgspec.convert(document, _File)
    except msgspec.ValidationError as error:
        raise ValueError(f"{source}: {error}") from error
    found: dict[Key, Questionnaire] = {}
    for number, each in enumerate(file.questionnaire):
        place = f"{source}: questionnaire[{number}]"
        try:
            checked(each)
        except DomainError as error:
            raise ValueError(f"{place}: {error.detail}") from error
        if each.key in found:
            raise ValueError(f"{place}: version {each.version} of {each.code} is there already")
        found[each.key] = each
    return found


@cache
def shipped() -> dict[Key, Questionnaire]:
    """Those that come with the service."""
    text = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    return load(text, FILE)


def scores(found: Questionnaire, answers: tuple[Answer, ...]) -> tuple[Score, ...]:
    """By scale: the mean of its items brought to 0–10, in hundredths, half up.

    422 ``survey.unknown_item``, ``.duplicate_answer``, ``.missing_answers``,
    ``.score_outside_scale``.
    """
    values = _complete(found, answers)
    return tuple(
        Score(scale=scale, value=_mean([i for i in found.items if i.scale == scale], values))
        for scale in sorted({item.scale for item in found.items})
    )


def _complete(found: Questionnaire, answers: tuple[Answer, ...]) -> dict[str, int]:
    items = {item.code: item for item in found.items}
    if not items.keys() >= {answer.item for answer in answers}:
        raise DomainError("survey.unknown_item", "An answer is to no item of the questionnaire.")
    twice = [code for code, count in Counter(a.item for a in answers).items() if count > 1]
    if twice:
        raise DomainError("survey.duplicate_answer", f"Answered twice: {', '.join(twice)}.")
    missing = sorted(items.keys() - {answer.item for answer in answers})
    if missing:
        raise DomainError("survey.missing_answers", f"Not answered: {', '.join(missing)}.")
    for answer in answers:
        item = items[answer.item]
        if not item.min <= answer.value <= item.max:
            raise DomainError(
                "survey.score_outside_scale",
                f"{item.code} is answered from {item.min} to {item.max}.",
            )
    return {answer.item: answer.value for answer in answers}


def _mean(items: list[Item], values: dict[str, int]) -> int:
    """Hundredths, 0–1000. In whole numbers: in binary fractions a half may fall short of itself."""
    unit = lcm(*(item.max - item.min for item in items))
    total = sum(
        (item.max - values[item.code] if item.reversed else values[item.code] - item.min)
        * (unit // (item.max - item.min))
        for item in items
    )
    whole = unit * len(items)
    return (2 * 1000 * total + whole) // (2 * whole)


def pick(known: dict[Key, Questionnaire], code: str, version: int | None) -> Questionnaire:
    """That version, or the latest."""
    if version is None:
        version = max((v for c, v in known if c == code), default=None)
    if version is None or (code, version) not in known:
        raise DomainError(
            "questionnaire.unknown", "No such questionnaire; see GET /questionnaires."
        )
    return known[code, version]
