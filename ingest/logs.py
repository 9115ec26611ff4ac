"""Structured logs: a JSON object a line, or key=value on a terminal. No payload, no secret."""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog
from pydantic_settings import BaseSettings, SettingsConfigDict

LONGEST = 300  # characters of a value: a topic may be endless


class LogSettings(BaseSettings):
    """Read from the environment: ``DALA_LOG_LEVEL``."""

    model_config = SettingsConfigDict(env_prefix="DALA_", extra="ignore")

    log_level: Literal["debug", "info", "warning", "error"] = "info"


def configure(settings: LogSettings | None = None, stream: TextIO | None = None) -> None:
    """Send logs to ``stream`` (standard error), as its reader needs them."""
    out = stream or sys.stderr
    on_terminal = out.isatty()
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if on_terminal
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,  # the request's id, in the API
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=not on_terminal),
            _shorten,
            structlog.processors.format_exc_info,  # where, and no variable's value
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger((settings or LogSettings()).log_level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )


def _shorten(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, bytes | bytearray | memoryview):
            event[name] = f"{len(value)} bytes"
        elif isinstance(value, str) and len(value) > LONGEST:
            event[name] = value[:LONGEST] + "…"
    return event
