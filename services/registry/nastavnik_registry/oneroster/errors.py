"""Errors as OneRoster says them: an imsx_StatusInfo body with a minor code."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from nastavnik_common import db
from nastavnik_common.errors import DomainError
from nastavnik_registry.oneroster.models import CodeMinor, CodeMinorField, StatusInfo

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_MINOR = {
    401: "unauthorisedrequest",
    403: "forbidden",
    404: "unknownobject",
    429: "server_busy",
    500: "internal_server_error",
    503: "server_busy",
}


class OneRosterError(Exception):
    """A request that the standard has a code for. `description` repeats nothing that was sent."""

    def __init__(self, status: int, minor: str, description: str) -> None:
        super().__init__(f"{minor}: {description}")
        self.status, self.minor, self.description = status, minor, description


def unknown() -> OneRosterError:
    return OneRosterError(404, "unknownobject", "There is no such object.")


def status_info(
    status: int, minor: str, description: str, headers: dict[str, str] | None = None
) -> Response:
    field = CodeMinorField(
        imsx_codeMinorFieldName="TargetEndSystem", imsx_codeMinorFieldValue=minor
    )
    body = StatusInfo(
        imsx_codeMajor="failure",
        imsx_severity="error",
        imsx_description=description,
        imsx_CodeMinor=CodeMinor(imsx_codeMinorField=[field]),
    )
    return JSONResponse(body.model_dump(), status, headers)


def refused(error: DomainError, headers: dict[str, str] | None = None) -> Response:
    minor = _MINOR.get(error.status, "invaliddata")
    return status_info(error.status, minor, error.detail, headers)


class OneRosterRoute(APIRoute):
    """A route whose errors, those of its dependencies included, have the standard's form."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except OneRosterError as error:
                return status_info(error.status, error.minor, error.description)
            except RequestValidationError as error:
                places = sorted({str(e["loc"][-1]) for e in error.errors()})
                return status_info(422, "invaliddata", f"Not acceptable: {', '.join(places)}.")
            except DomainError as error:
                return refused(error)
            except HTTPException as error:
                minor = _MINOR.get(error.status_code, "invaliddata")
                headers = dict(error.headers or {})
                return status_info(error.status_code, minor, str(error.detail), headers)
            except db.ERRORS as error:
                if not db.is_away(error):
                    raise
                text = "The database does not answer. Try again."
                return status_info(503, "server_busy", text, {"retry-after": "1"})

        return answer
