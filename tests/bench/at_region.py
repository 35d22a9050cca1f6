"""What a whole region costs: its log folded, its figures announced, checked, made anew from the
facts, and counted again from the log while others read."""

from tests.bench import announcing, fresh, rebuilding, renewing
from tests.bench.catch_up import caught_up, copy
from tests.bench.harness import Row, attempted
from tests.bench.shapes import REGION
from tests.bench.stage import Stage

_QUICK = 20  # so many times less


async def run(stage: Stage) -> list[Row]:
    shape = REGION.less(_QUICK if stage.quick else 1)
    log = await fresh.laid(stage, "region", shape)
    rows = await attempted("catch-up at region size", caught_up(stage, shape, log))
    copied = len(log.records) / await copy(log.settings, log.records)
    rows += await attempted("announcing the region", announcing.run(log.settings))
    rows += await attempted("full audit", renewing.audited(log.settings, copied))
    rows += await attempted("shares and cells anew", renewing.renewed(log.settings, copied))
    return rows + await attempted("rebuild", rebuilding.run(stage, log, copied))
