"""An error becomes a status in one table, and a problem document (RFC 9457) in one place."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from storage.database import NotFound

log = structlog.get_logger()


class RequestProblem(ValueError):
    """A request that is well formed and still cannot be answered; the message says why."""


class NotReady(RuntimeError):
    """The service runs and cannot answer yet; the message says what is missing."""


STATUS_CODES: dict[type[Exception], int] = {NotFound: 404, RequestProblem: 422, NotReady: 503}
TITLES = {
    400: "Bad request",
    401: "Who are you?",
    404: "Not found",
    405: "Method not allowed",
    422: "The request cannot be answered",
    500: "Our fault",
    503: "Not ready to answer",
}


def problem(status: int, detail: str, *, kind: str | None = None, **more: Any) -> JSONResponse:
    """A problem document; ``kind`` ends its type URI."""
    title = TITLES.get(status, "Problem")
    kind = kind or title.lower().replace(" ", "-").rstrip("?")
    body = {"type": f"urn:dala:problem:{kind}", "title": title, "status": status, "detail": detail}
    headers = {"Retry-After": "5"} if status == 503 else None
    return JSONResponse(
        body | more, status_code=status, headers=headers, media_type="application/problem+json"
    )


def add_handlers(app: FastAPI) -> None:
    """Let every error leave as a problem document."""

    def known(_request: Request, error: Exception) -> JSONResponse:
        status = next(code for kind, code in STATUS_CODES.items() if isinstance(error, kind))
        words = f"There is no {error.args[0]}." if isinstance(error, NotFound) else str(error)
        return problem(status, words)

    for kind in STATUS_CODES:
        app.add_exception_handler(kind, known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for away in (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError):
        app.add_exception_handler(away, _database_away)
    app.add_exception_handler(sa.exc.DataError, _unusable)
    app.add_exception_handler(Exception, _unexpected)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    errors = [
        {"where": ".".join(str(part) for part in one["loc"]), "what": one["msg"]}
        for one in error.errors()
    ]
    words = "; ".join(f"{one['where']}: {one['what']}" for one in errors)
    return problem(422, words, kind="invalid-parameter", errors=errors)


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    answer = problem(error.status_code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


def _database_away(_request: Request, error: Exception) -> JSONResponse:
    log.error("database away", error=str(error).splitlines()[0])
    return problem(503, "The database does not answer; try again in a few seconds.")


def _unusable(_request: Request, _error: Exception) -> JSONResponse:
    return problem(422, "A value of the request cannot be stored or compared.")


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected error", path=request.url.path, error=repr(error))
    return problem(500, "Something went wrong on our side; it was logged.")
