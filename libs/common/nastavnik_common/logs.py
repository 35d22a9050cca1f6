"""Structured logs: one JSON object a line, with the correlation id of the request or event."""

import logging
import sys
import uuid

import structlog
import structlog.tracebacks

from nastavnik_common.settings import Settings

CORRELATION_HEADER = "x-correlation-id"
_NOISY = ("aiokafka", "faststream", "uvicorn.access", "alembic", "httpx")


def configure(settings: Settings, service: str) -> None:
    """Route structlog and the standard library's logging to stdout in one schema."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # without local variables: they may hold names of people
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ),
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
