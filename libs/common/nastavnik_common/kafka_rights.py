"""Who may do what in Kafka: topics and access control lists, from the event contract.

    python -m nastavnik_common.kafka_rights

Run it as the cluster's administrator (the same ``NASTAVNIK_KAFKA_…`` variables) when the cluster is
new and after every release; what is there already stays. Each service is a user of its own name. It
may write the topics of its own kinds, read those it consumes, put aside what it cannot read, and
see that all topics are there: create none, write no other. `reader` may read every event, in
groups whose names begin with ``reader``.
"""

import asyncio
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest

from nastavnik_common import kafka
from nastavnik_common.events import KINDS
from nastavnik_common.events.envelope import PREFIX
from nastavnik_common.settings import KafkaSettings

READER = "reader"
_ALLOW = 3


class Resource(IntEnum):
    """Numbers of the Kafka protocol, as below."""

    TOPIC = 2
    GROUP = 3


class Pattern(IntEnum):
    LITERAL = 3
    PREFIXED = 4


class Operation(IntEnum):
    READ = 3
    WRITE = 4
    DESCRIBE = 8


class Right(NamedTuple):
    user: str
    operation: Operation
    resource: Resource
    name: str
    pattern: Pattern = Pattern.LITERAL


def rights() -> Iterator[Right]:
    """All of them. Reading and writing include seeing."""
    services = sorted({kind.source for kind in KINDS})
    for user in (*services, READER):
        yield Right(user, Operation.DESCRIBE, Resource.TOPIC, f"{PREFIX}.", Pattern.PREFIXED)
    for service in sorted({name for kind in KINDS for name in kind.consumers}):
        yield Right(service, Operation.READ, Resource.GROUP, f"{PREFIX}-{service}")
    yield Right(READER, Operation.READ, Resource.GROUP, READER, Pattern.PREFIXED)
    for kind in KINDS:
        yield Right(kind.source, Operation.WRITE, Resource.TOPIC, kind.topic)
        # after its database was restored: nastavnik_common.recovery
        yield Right(kind.source, Operation.READ, Resource.TOPIC, kind.topic)
        for consumer in kind.consumers:
            yield Right(consumer, Operation.READ, Resource.TOPIC, kind.topic)
            yield Right(consumer, Operation.WRITE, Resource.TOPIC, kind.dead_letter_topic)
        yield Right(READER, Operation.READ, Resource.TOPIC, kind.topic)


async def grant(settings: KafkaSettings, wanted: Iterable[Right]) -> int:
    """Add the rights, each once however often it is granted. Returns how many were asked for."""
    count = 0
    admin = kafka.create_admin(settings)
    await admin.start()
    try:
        for count, right in enumerate(wanted, 1):  # noqa: B007
            # aiokafka knows the request, but has no method for it
            answer = await admin._send_request(_request(right))
            for code, message in answer.creation_responses:
                if code:
                    raise for_code(code)(f"{right}: {message}")
    finally:
        await admin.close()
    return count


def _request(right: Right) -> CreateAclsRequest:
    principal = f"User:{right.user}"
    at = (right.resource, right.name, right.pattern)
    return CreateAclsRequest(*at, principal, "*", right.operation, _ALLOW)


async def _main() -> None:
    settings = KafkaSettings()
    await kafka.ensure_topics(settings)
    count = await grant(settings, rights())
    print(f"{len(kafka.topics(settings))} topics and {count} rights are there")


if __name__ == "__main__":
    asyncio.run(_main())
