"""Whether the projector keeps its pace: ten times the events, ten times the organisations."""

from tests.bench import fresh
from tests.bench.catch_up import fold
from tests.bench.harness import Row
from tests.bench.shapes import Shape
from tests.bench.stage import Stage

_BASE = Shape(60, 3_000, 1_000, 16_000)
_TIMES = 10
_QUICK = 8  # so many times fewer sessions


async def run(stage: Stage) -> list[Row]:
    base = _BASE._replace(sessions=_BASE.sessions // (_QUICK if stage.quick else 1))
    events = sum(base) + 1
    longer = base._replace(sessions=base.sessions + (_TIMES - 1) * events)
    wider = base._replace(schools=_TIMES * base.schools)
    rate = await _rate(stage, "growth", base)
    beside = (rate, f"{events:,} events of {base}")
    return [
        Row(f"catch-up, ten times the {what}", await _rate(stage, name, shape), "events/s", *beside)
        for what, name, shape in (
            ("events", "growth-events", longer),
            ("organisations", "growth-organisations", wider),
        )
    ]


async def _rate(stage: Stage, name: str, shape: Shape) -> float:
    log = await fresh.laid(stage, name, shape)
    return len(log.records) / await fold(log.settings, len(log.records))
