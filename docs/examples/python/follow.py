"""Follow Nastavnik's topics with confluent-kafka: all that was, then what happens, without a gap.

    pip install confluent-kafka nastavnik-common nastavnik-client-events
    python follow.py --bootstrap localhost:9092                # until Ctrl-C
    python follow.py --bootstrap localhost:9092 --once         # the state so far, then end

One consumer reads from the beginning and simply goes on: where the past ends and the present begins
makes no difference, for every event carries the whole state and its version. Nothing is committed
to the group: the states live in memory here and are read anew at the next start. A consumer that
stores states stores its offsets with them, in the same transaction, and begins there.
"""

import argparse
import json
import sys
from collections.abc import Iterator

from confluent_kafka import Consumer, Message, TopicPartition

from nastavnik_events import KINDS, Latest, UnreadableError, from_record

Ends = dict[tuple[str, int], int]


def assign_all(consumer: Consumer) -> Ends:
    """Every partition from its beginning; returns where each of them ends now."""
    known = consumer.list_topics(timeout=10).topics
    parts = [
        TopicPartition(kind.topic, number, 0)
        for kind in KINDS
        if kind.topic in known
        for number in known[kind.topic].partitions
    ]
    # asked before reading begins: a broker answers a client's requests in turn, and fetches wait
    ends = {(p.topic, p.partition): consumer.get_watermark_offsets(p)[1] for p in parts}
    consumer.assign(parts)
    return {place: end for place, end in ends.items() if end > 0}


def positions(consumer: Consumer) -> Ends:
    return {(p.topic, p.partition): p.offset for p in consumer.position(consumer.assignment())}


def messages(consumer: Consumer, ends: Ends, once: bool) -> Iterator[Message | None]:
    """Messages as they come; None once when all that was there at the start has been read.

    By position and not by the last offset: in a compacted topic the last record may be gone.
    """
    behind = set(ends)
    while True:
        for message in consumer.consume(500, timeout=0.1):
            if message.error() is None:
                yield message
            else:
                print(f"broker: {message.error()}", file=sys.stderr)
        if behind:
            now = positions(consumer)
            behind = {place for place in behind if now.get(place, 0) < ends[place]}
            if not behind:
                yield None
                if once:
                    return


def follow(bootstrap: str, once: bool) -> Latest:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "example-follower",
            "enable.auto.commit": False,
        }
    )
    latest, live = Latest(), False
    try:
        for message in messages(consumer, assign_all(consumer), once):
            if message is None:
                live = True
                print("caught up", file=sys.stderr)
                continue
            try:
                change = from_record(
                    message.topic(), message.key(), message.value(), message.headers()
                )
            except UnreadableError as error:  # put aside and go on
                print(f"unreadable: {message.topic()} {error.code}", file=sys.stderr)
                continue
            if change is not None and latest.apply(change) and live:
                print(change.kind.name, change.id, change.version, change.envelope.type)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()
    return latest


def main() -> None:
    parser = argparse.ArgumentParser(description="Follow Nastavnik's events")
    parser.add_argument("--bootstrap", default="localhost:9092")
    parser.add_argument("--once", action="store_true", help="print the newest states and end")
    asked = parser.parse_args()
    latest = follow(asked.bootstrap, asked.once)
    if asked.once:
        for kind in KINDS:
            for ident, state in sorted(latest.states(kind).items()):
                print(json.dumps([kind.name, str(ident), state.version]))


if __name__ == "__main__":
    main()
