"""The registry's rows, by noun.

A deleted aggregate leaves its row as a marker (`deleted`, one version on), so that its id is not
used again and its tombstone can be published again. Intervals are half-open: [since, until).
"""

from nastavnik_common.idempotency import idempotency_table
from nastavnik_common.outbox import outbox_table
from nastavnik_registry.tables.base import Base
from nastavnik_registry.tables.imports import (
    ExternalId,
    ImportChange,
    ImportJob,
    ImportQuarantine,
    ImportSource,
)
from nastavnik_registry.tables.organizations import OrgUnit, UnitPlacement
from nastavnik_registry.tables.people import (
    ConsentRow,
    Person,
    PersonMembership,
    PersonTraining,
)
from nastavnik_registry.tables.privacy import (
    DestructionAct,
    ErasureMark,
    ErasureSalt,
    TraceEntry,
    TraceLink,
    TracePending,
)
from nastavnik_registry.tables.programmes import ProgrammeRow
from nastavnik_registry.tables.pulls import PullRow
from nastavnik_registry.tables.targets import ReferenceCountRow, TargetRow

__all__ = [
    "ConsentRow",
    "DestructionAct",
    "ErasureMark",
    "ErasureSalt",
    "ExternalId",
    "ImportChange",
    "ImportJob",
    "ImportQuarantine",
    "ImportSource",
    "OrgUnit",
    "Person",
    "PersonMembership",
    "PersonTraining",
    "ProgrammeRow",
    "PullRow",
    "ReferenceCountRow",
    "TargetRow",
    "TraceEntry",
    "TraceLink",
    "TracePending",
    "UnitPlacement",
    "idempotency",
    "metadata",
    "outbox",
]

metadata = Base.metadata
outbox = outbox_table(metadata)
idempotency = idempotency_table(metadata)
