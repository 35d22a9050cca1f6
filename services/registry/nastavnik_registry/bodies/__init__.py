"""What goes over HTTP, by noun. Text is stripped and has no NUL; unknown fields are refused."""

from nastavnik_registry.bodies.admin import (
    AggregateKind,
    Republished,
)
from nastavnik_registry.bodies.base import (
    NO_NUL,
    Deleted,
    ExternalRef,
    IndicatorCode,
    SchoolYearLabel,
    SourceName,
)
from nastavnik_registry.bodies.external_ids import (
    Resolved,
    ResolveRequest,
)
from nastavnik_registry.bodies.imports import (
    Import,
    ImportStatus,
)
from nastavnik_registry.bodies.organizations import (
    NewOrganization,
    Organization,
    OrganizationPatch,
    PlacementBody,
)
from nastavnik_registry.bodies.participants import (
    MembershipBody,
    NewParticipant,
    Participant,
    ParticipantPatch,
)
from nastavnik_registry.bodies.targets import (
    NewTarget,
    Target,
    TargetPatch,
)

__all__ = [
    "NO_NUL",
    "AggregateKind",
    "Deleted",
    "ExternalRef",
    "Import",
    "ImportStatus",
    "IndicatorCode",
    "MembershipBody",
    "NewOrganization",
    "NewParticipant",
    "NewTarget",
    "Organization",
    "OrganizationPatch",
    "Participant",
    "ParticipantPatch",
    "PlacementBody",
    "Republished",
    "ResolveRequest",
    "Resolved",
    "SchoolYearLabel",
    "SourceName",
    "Target",
    "TargetPatch",
]
