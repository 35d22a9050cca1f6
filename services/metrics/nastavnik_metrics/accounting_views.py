"""What the API says of the accounts."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from nastavnik_metrics.accounting import OUTCOMES, Balance, Ledger

_ADDED = (
    "start",
    "end",
    "next_offset",
    "pending",
    *OUTCOMES,
    "accounted",
    "absent",
    "letters",
    "gap",
)


class BalanceView(BaseModel):
    """A partition, or a whole topic: what was read and what became of it."""

    start: int = Field(description="First offset of the log")
    end: int = Field(description="The offset after the last")
    next_offset: int
    pending: int = Field(description="Offsets not yet read; an upper bound of records")
    applied: int
    superseded: int
    parked: int
    skipped: int
    accounted: int = Field(description="The four together: records read")
    absent: int = Field(
        description="Offsets passed without a record, as compaction leaves; negative when the log"
        " was read more than once"
    )
    letters: int = Field(description="Dead letters kept; as many as were parked")
    recounted: int | None = Field(description="Records found by the last recount")
    gap: int = Field(description="Records proven not to be accounted for")
    closes: bool


class PartitionBalanceView(BalanceView):
    partition: int


class TopicBalanceView(BalanceView):
    """Offsets and records of all partitions, added up."""

    topic: str
    partitions: list[PartitionBalanceView]


class AccountingView(BaseModel):
    closes: bool
    recounted_at: datetime | None = Field(description="When the whole log was last recounted")
    topics: list[TopicBalanceView]


async def accounting_view(ledger: Ledger) -> AccountingView:
    by_topic: dict[str, list[Balance]] = defaultdict(list)
    for one in await ledger.balances():
        by_topic[one.topic].append(one)
    return AccountingView(
        closes=all(one.closes for found in by_topic.values() for one in found),
        recounted_at=ledger.recounted_at,
        topics=[_topic(topic, found) for topic, found in by_topic.items()],
    )


def _topic(topic: str, found: list[Balance]) -> TopicBalanceView:
    total: dict[str, Any] = {name: sum(getattr(one, name) for one in found) for name in _ADDED}
    counts = [one.recounted for one in found if one.recounted is not None]
    return TopicBalanceView(
        topic=topic,
        **total,
        recounted=sum(counts) if counts else None,
        closes=all(one.closes for one in found),
        partitions=[PartitionBalanceView(**one._asdict(), closes=one.closes) for one in found],
    )
