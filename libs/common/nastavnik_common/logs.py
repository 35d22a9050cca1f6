"""Structured logs: one JSON object a line, with the correlation id of the request or event, and the
id of its trace, if it has one."""

import logging
import sys
import uuid
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import asyncpg
import structlog
import structlog.tracebacks
from sqlalchemy.exc import SQLAlchemyError

from nastavnik_common import tracing
from nastavnik_common.settings import Settings

CORRELATION_HEADER = "x-correlation-id"
_NOISY = ("aiokafka", "faststream", "uvicorn.access", "alembic", "httpx")
_QUOTING = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Errors whose messages repeat values of rows and parameters, among them names of people."""


def configure(settings: Settings, service: str) -> None:
    """Route structlog and the standard library's logging to stdout in one schema."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_described),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer()
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(settings.log_level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)
    tracing.configure(settings.traces_endpoint, service)


_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
# without local variables: they may hold names of people
_transform = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


def _described(exc_info: _ExcInfo) -> list[dict[str, Any]]:
    """The types and frames of an exception and its causes, and the messages unless one of them is
    the database's: whatever wraps that one may have taken its message over."""
    stacks = _transform(exc_info)
    if any(isinstance(error, _QUOTING) for error in _chain(exc_info[1], set())):
        for stack in _stacks(stacks):
            stack.update(exc_value="", exc_notes=[])
    return stacks


def _chain(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    """The error, its causes and contexts, and the members of groups, each once."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield error
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for other in (error.__cause__, error.__context__, *members):
        yield from _chain(other, seen)


def _stacks(stacks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for stack in stacks:
        yield stack
        for member in stack.get("exceptions", ()):
            yield from _stacks(member)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return bound


def correlation_id() -> str | None:
    """The id of the request or event being handled, if any."""
    value = structlog.contextvars.get_contextvars().get("correlation_id")
    return value if isinstance(value, str) else None


def bind_correlation(value: str | None) -> str:
    """Bind the given correlation id, or a new one, to all that follows in this context."""
    bound = value or str(uuid.uuid4())
    structlog.contextvars.bind_contextvars(correlation_id=bound)
    return bound
