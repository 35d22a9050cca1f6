"""Slices: `all`, forms of mentoring, technologies, audiences."""

from collections.abc import Iterable

from nastavnik_common.events.activity import MentorshipState
from nastavnik_metrics.catalogue.model import ALL


def forms(mentorship: MentorshipState | None) -> tuple[str, ...]:
    """All forms, the federal form, and a region's own form; of no mentorship: all alone."""
    if mentorship is None:
        return (ALL,)
    return tuple(dict.fromkeys((ALL, mentorship.federal_form, mentorship.form)))


def ways(technology: str | None, audience: Iterable[str]) -> tuple[str, ...]:
    """The slices of a meeting besides its forms."""
    found = [f"technology:{technology}"] if technology else []
    return (*found, *sorted({f"audience:{a}" for a in audience}))
