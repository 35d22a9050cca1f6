"""A value → the cells of its row, typed as the columns say. Pure."""

from datetime import UTC, datetime

from nastavnik_common import clock
from nastavnik_common.events.metrics import IndicatorValueState
from nastavnik_common.events.registry import OrganizationState

Cell = str | int | float | datetime | None
Row = tuple[Cell, ...]

_UNITS = {
    "percent": "%",
    "quotient": "отношение",
    "points": "баллы",
    "count": "ед.",
    "rub": "руб.",
    "hours": "ч",
}
_SLICES = {
    "all": "Все",
    "student_student": "ученик – ученик",
    "teacher_teacher": "учитель – учитель",
    "university_student_pupil": "студент – ученик",
    "employer_pupil": "работодатель – ученик",
    "employer_student": "работодатель – студент",
}
_DIMENSIONS = {"technology": "технология", "audience": "аудитория"}
_STATES = {
    "ok": "есть данные",
    "no_data": "нет данных",
    "too_early": "рано судить",
    "suppressed": "скрыто",
    "provisional": "предварительно",
    "frozen": "утверждено",
}
_REASONS = {
    "denominator.zero": "знаменатель равен нулю",
    "too_young_to_judge": "рано судить",
    "fewer_than_k": "слишком мало людей",
}


def row(value: IndicatorValueState, unit: OrganizationState, title: str) -> Row:
    hidden = value.state == "suppressed"
    return (
        unit.name,
        unit.oktmo,
        clock.label(value.school_year),
        value.indicator,
        title,
        _slice(value.form),
        None if hidden else value.numerator,
        None if hidden else value.denominator,
        value.value,
        _UNITS[value.unit],
        value.target,
        value.pace,
        None if value.expected is None else f"{value.reporting or 0} из {value.expected}",
        _state(value),
        value.definition_version,
        _moment(value.watermark),
    )


def _slice(code: str) -> str:
    dimension, colon, member = code.partition(":")
    if colon and dimension in _DIMENSIONS:
        return f"{_DIMENSIONS[dimension]}: {member}"
    return _SLICES.get(code, code)


def _state(value: IndicatorValueState) -> str:
    state = _STATES[value.state]
    if value.reason is None:
        return state
    return f"{state}: {_REASONS.get(value.reason, value.reason)}"


def _moment(watermark: datetime | None) -> datetime | None:
    """To the minute, downwards: it stays true."""
    if watermark is None:
        return None
    return watermark.astimezone(UTC).replace(second=0, microsecond=0, tzinfo=None)
