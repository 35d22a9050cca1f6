"""Dead letters that were applied after all: the log holds them only as they could not be read."""

from typing import Any

from nastavnik_common.dead_letters import StoredRecord, kept_headers


async def resolved(connection: Any) -> list[StoredRecord]:
    """As they were applied: the newest corrected copy, or else the record itself."""
    rows = await connection.fetch(
        """select l.topic, l.partition, l."offset", c.id as copy, l.key, l.headers, l.value,
                  c.key as copied_key, c.headers as copied_headers, c.value as copied_value
           from dead_letter l left join lateral
             (select * from dead_letter_copy where letter_id = l.id order by id desc limit 1) c
             on true
           where l.resolved_at is not null order by l.id"""
    )
    return [_record(row) for row in rows]


def _record(row: Any) -> StoredRecord:
    of = "copied_" if row["copy"] is not None else ""
    headers = tuple((n, v) for n, v in kept_headers(row[f"{of}headers"]) if v is not None)
    origin = row["topic"], row["partition"], row["offset"]
    return StoredRecord(*origin, row[f"{of}key"], row[f"{of}value"], headers)
