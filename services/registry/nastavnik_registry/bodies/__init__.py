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
from nastavnik_registry.bodies.consents import (
    Consent,
    NewConsent,
    Withdrawal,
)
from nastavnik_registry.bodies.external_ids import (
    Resolved,
    ResolveRequest,
)
from nastavnik_registry.bodies.imports import (
    Action,
    Import,
    ImportedChange,
    ImportHistory,
    ImportSource,
    ImportStatus,
    NewImportSource,
    Quarantined,
    RecordKind,
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
    TrainingBody,
)
from nastavnik_registry.bodies.privacy import (
    DestructionAct,
    Erasure,
    Gone,
    KnownHead,
    PersonalData,
    Purpose,
    Purposes,
    TraceEntry,
    TraceFault,
    Verified,
    VerifyRequest,
)
from nastavnik_registry.bodies.programmes import (
    NewProgramme,
    Programme,
    ProgrammePatch,
)
from nastavnik_registry.bodies.reference_counts import (
    NewReferenceCount,
    ReferenceCount,
    ReferenceCountPatch,
)
from nastavnik_registry.bodies.targets import (
    NewTarget,
    Target,
    TargetPatch,
)

__all__ = [
    "NO_NUL",
    "Action",
    "AggregateKind",
    "Consent",
    "Deleted",
    "DestructionAct",
    "Erasure",
    "ExternalRef",
    "Gone",
    "Import",
    "ImportHistory",
    "ImportSource",
    "ImportStatus",
    "ImportedChange",
    "IndicatorCode",
    "KnownHead",
    "MembershipBody",
    "NewConsent",
    "NewImportSource",
    "NewOrganization",
    "NewParticipant",
    "NewProgramme",
    "NewReferenceCount",
    "NewTarget",
    "Organization",
    "OrganizationPatch",
    "Participant",
    "ParticipantPatch",
    "PersonalData",
    "PlacementBody",
    "Programme",
    "ProgrammePatch",
    "Purpose",
    "Purposes",
    "Quarantined",
    "RecordKind",
    "ReferenceCount",
    "ReferenceCountPatch",
    "Republished",
    "ResolveRequest",
    "Resolved",
    "SchoolYearLabel",
    "SourceName",
    "Target",
    "TargetPatch",
    "TraceEntry",
    "TraceFault",
    "TrainingBody",
    "Verified",
    "VerifyRequest",
    "Withdrawal",
]
