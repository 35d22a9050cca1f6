"""Read Nastavnik's events as typed states, with any Kafka client or over HTTP.

`from_record` and `from_cloudevent` make a `Change` of what was received; `Latest` folds changes in
any order, with duplicates, to the newest state of every aggregate; `pages` follows the change feed.
"""

from nastavnik_common.events import (
    ASSESSMENT,
    BY_NAME,
    BY_TOPIC,
    CONTRIBUTION,
    GATHERING,
    INDICATOR,
    KINDS,
    MENTORSHIP,
    ORGANIZATION,
    PARTICIPANT,
    PROGRAMME,
    REFERENCE_COUNT,
    SESSION,
    SURVEY,
    TARGET,
    Kind,
)
from nastavnik_common.events.base import State
from nastavnik_common.events.envelope import Envelope
from nastavnik_common.events.reading import UnreadableError
from nastavnik_events.feed import ExpiredError, Page, pages
from nastavnik_events.latest import Latest
from nastavnik_events.reading import Change, from_cloudevent, from_record

__all__ = [
    "ASSESSMENT",
    "BY_NAME",
    "BY_TOPIC",
    "CONTRIBUTION",
    "GATHERING",
    "INDICATOR",
    "KINDS",
    "MENTORSHIP",
    "ORGANIZATION",
    "PARTICIPANT",
    "PROGRAMME",
    "REFERENCE_COUNT",
    "SESSION",
    "SURVEY",
    "TARGET",
    "Change",
    "Envelope",
    "ExpiredError",
    "Kind",
    "Latest",
    "Page",
    "State",
    "UnreadableError",
    "from_cloudevent",
    "from_record",
    "pages",
]
