"""Errors with a stable code, and their form over HTTP (RFC 9457 problem documents)."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field


class FieldError(BaseModel):
    """One thing wrong with a request. Carries no value from it: it could be personal."""

    location: str = Field(description="where, e.g. body.members.0.role or line 3")
    code: str
    message: str


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str
    title: str
    status: int
    code: str = Field(description="stable; program against this")
    detail: str
    instance: str | None = None
    correlation_id: str | None = None
    errors: list[FieldError] = []


class DomainError(Exception):
    """A rule said no. `code` is stable and documented; `status` is how HTTP says it."""

    status = 422

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        if status is not None:
            self.status = status


class NotFoundError(DomainError):
    status = 404

    def __init__(self, kind: str, ident: object) -> None:
        super().__init__(f"{kind}.not_found", f"No {kind} {ident}.")


class ConflictError(DomainError):
    status = 409


class StaleVersionError(DomainError):
    """If-Match named another version than the stored one."""

    status = 412

    def __init__(self, current: int) -> None:
        super().__init__("version.stale", f"The record is at version {current}; read it again.")


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    instance: str | None = None,
    correlation_id: str | None = None,
    errors: Sequence[FieldError] = (),
) -> dict[str, Any]:
    return Problem(
        type=f"urn:nastavnik:problem:{code}",
        title=code.replace(".", ": ").replace("_", " "),
        status=status,
        code=code,
        detail=detail,
        instance=instance,
        correlation_id=correlation_id,
        errors=list(errors),
    ).model_dump(mode="json", exclude_none=True)
