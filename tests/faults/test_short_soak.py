"""`make soak`, cut short."""

from tests.faults.conftest import Told
from tests.faults.wired import WiredSystem
from tests.soak.run import soak
from tests.soak.trouble import Fault, plan

FAULTS = [
    Fault("kill", "kafka", 0.5),
    Fault("rebuild", "metrics", 0.2),
    Fault("pause", "registry", 1.0),
]


async def test_nothing_is_lost_and_nothing_counted_twice(broken: WiredSystem, told: Told) -> None:
    outcome = await soak(broken, FAULTS, seconds=60, workers=3, seed=1, pause=0.2, say=print)
    for fault, seconds in outcome.recovered:
        told(f"soak: {fault}", seconds)
    assert outcome.verdict["drift"] == 0
    assert outcome.verdict["sessions in the log"] > 0


def test_a_seed_makes_a_plan_of_faults() -> None:
    def first(seed: int) -> list[Fault]:
        faults = plan(seed, ("registry", "metrics"))
        return [next(faults) for _ in range(20)]

    assert first(7) == first(7) != first(8)
