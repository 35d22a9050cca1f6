"""The latest state of every aggregate, read from the beginning of the topics.

A plain consumer without a group; the version in `ce_sequence` decides which record is newest, an
empty value is a tombstone. Nothing here comes from the services or their event models.
"""

import sys
from collections.abc import Callable
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from nastavnik_local import recount_states as states
from nastavnik_local.recount_log import Log


async def read(bootstrap: str, heard: Callable[[int], None] = lambda _: None) -> Log:
    """All records up to the present end of the topics; `heard` gets the number read so far."""
    log = Log({}, {}, {}, {})
    versions: dict[str, dict[str, int]] = {topic: {} for topic in TOPICS}
    async with AIOKafkaConsumer(
        *TOPICS, bootstrap_servers=bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=50
    ) as consumer:
        partitions = consumer.assignment()
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(part) < ends[part] for part in partitions]):
            for part, records in (await consumer.getmany(timeout_ms=500)).items():
                for record in records:
                    keep(log, versions[part.topic], record)
                log.records += len(records)
            heard(log.records)
    return log


def keep(log: Log, versions: dict[str, int], record: ConsumerRecord) -> None:
    """Put the record's state into the log unless a newer one is there."""
    ident = sys.intern(record.key.decode())
    version = int(dict(record.headers)["ce_sequence"])
    if version <= versions.get(ident, 0):
        return
    versions[ident] = version
    table, parse = TOPICS[record.topic]
    kept = getattr(log, table)
    if record.value is None:
        kept.pop(ident, None)
    else:
        kept[ident] = parse(msgspec.json.decode(record.value))


TOPICS: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "nastavnik.organizations": ("organizations", states.organization),
    "nastavnik.participants": ("persons", states.person),
    "nastavnik.mentorships": ("mentorships", states.mentorship),
    "nastavnik.sessions": ("sessions", states.session),
    "nastavnik.programmes": ("programmes", states.programme),
    "nastavnik.surveys": ("surveys", states.survey),
    "nastavnik.assessments": ("assessments", states.assessment),
    "nastavnik.contributions": ("contributions", states.contribution),
    "nastavnik.gatherings": ("gatherings", states.gathering),
}
