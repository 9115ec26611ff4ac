"""An error becomes a status in one table, and a problem document (RFC 9457) in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.addresses import methods_at
from api.problem_types import URN
from api.security.passwords import WeakPassword
from entry import EntryRefused
from storage.accounts import AlreadyExists
from storage.database import NotFound

log = structlog.get_logger()


class RequestProblem(ValueError):
    """A request that is well formed and still cannot be answered; the message says why."""


class NotReady(RuntimeError):
    """The service runs and cannot answer yet; the message says what is missing."""


class Refused(HTTPException):
    """A request that is turned away, with words for people and a kind for programs."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if status == 429 and "Retry-After" not in (headers or {}):
            raise TypeError("who is told to come later is told when: Retry-After")
        super().__init__(status, detail, headers)
        self.kind = kind


STATUS_CODES: dict[type[Exception], int] = {
    NotFound: 404,
    RequestProblem: 422,
    EntryRefused: 422,
    NotReady: 503,
    AlreadyExists: 409,
    WeakPassword: 422,
}
TITLES = {
    400: "Bad request",
    401: "Who are you?",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    408: "Too slow",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    422: "The request cannot be answered",
    429: "Too many requests",
    500: "Our fault",
    503: "Not ready to answer",
}
MOST_TOLD = 50  # of what is wrong with a request: a body of 10 MB may be wrong in a million ways
MOST_WORDS = 4_000  # characters: what was wrong with a name of 50,000 is said without all of it
# Of a type that comes with several statuses: the title is the type's (RFC 9457, 3.1.3).
_TITLES_OF_TYPES = {"too-slow": TITLES[408], "too-many-streams": TITLES[429]}
# What the database refuses is the caller's affair in these classes, and ours in all others.
_BY_SQLSTATE = {
    "42501": (403, "This credential may not change that."),
    "44000": (403, "This is outside the farms that this credential may change."),
    "23505": (409, "There is one like it already."),
    "23503": (409, "Something that this refers to is not there, or others refer to it."),
    "23514": (422, "A value is outside what may be stored."),
}


class ProblemDocument(JSONResponse):
    """JSON that can always be sent: what a request said may hold what is no Unicode."""

    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        """As JSON; what is no character is a question mark."""
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")


def type_of(status: int) -> str:
    """The type of a problem that has none of its own."""
    return TITLES.get(status, "Problem").lower().replace(" ", "-").rstrip("?")


def problem(status: int, detail: str, *, kind: str | None = None, **more: Any) -> JSONResponse:
    """A problem document; ``kind`` ends its type URI."""
    title = TITLES.get(status, "Problem")
    kind = kind or type_of(status)
    title = _TITLES_OF_TYPES.get(kind, title)
    detail = detail if len(detail) <= MOST_WORDS else f"{detail[:MOST_WORDS]}…"
    body = {"type": f"{URN}{kind}", "title": title, "status": status, "detail": detail}
    if request_id := structlog.contextvars.get_contextvars().get("request_id"):
        body["request_id"] = request_id
    headers = {"Retry-After": "5"} if status == 503 else None
    return ProblemDocument(body | more, status_code=status, headers=headers)


def from_refusal(error: HTTPException) -> JSONResponse:
    """The problem document of a refusal, with its headers."""
    answer = problem(error.status_code, str(error.detail), kind=getattr(error, "kind", None))
    answer.headers.update(error.headers or {})
    return answer


def add_handlers(app: FastAPI) -> None:
    """Let every error leave as a problem document."""

    def known(_request: Request, error: Exception) -> JSONResponse:
        status = next(code for kind, code in STATUS_CODES.items() if isinstance(error, kind))
        words = f"There is no {error.args[0]}." if isinstance(error, NotFound) else str(error)
        return problem(status, words, kind=getattr(error, "kind", None))

    for kind in STATUS_CODES:
        app.add_exception_handler(kind, known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for away in (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError):
        app.add_exception_handler(away, _database_away)
    app.add_exception_handler(sa.exc.DataError, _unusable)
    app.add_exception_handler(sa.exc.DBAPIError, _refused_by_database)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    found = error.errors()
    errors = [
        {"where": ".".join(str(part) for part in one["loc"])[:200], "what": one["msg"][:500]}
        for one in found[:MOST_TOLD]
    ]
    words = "; ".join(f"{one['where']}: {one['what']}" for one in errors)
    if len(found) > MOST_TOLD:
        words += f"; and {len(found) - MOST_TOLD} more"
    return problem(422, words, kind="invalid-parameter", errors=errors)


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    if isinstance(error, Refused) or error.status_code not in {404, 405}:
        return from_refusal(error)
    if error.status_code == 404:
        return problem(404, "There is nothing at this address; see /v1/openapi.json for what is.")
    methods = ", ".join(methods_at(request.app, request.url.path))
    answer = problem(405, f"At this address there is {methods}.")
    answer.headers["Allow"] = methods
    return answer


def _database_away(_request: Request, error: Exception) -> JSONResponse:
    if getattr(getattr(error, "orig", None), "sqlstate", None) == "57014":  # statement_timeout
        return problem(503, "This takes too long; ask for less, or again later.", kind="too-slow")
    log.error("database away", error=str(error).splitlines()[0])
    return problem(503, "The database does not answer; try again in a few seconds.")


def _unusable(_request: Request, _error: Exception) -> JSONResponse:
    return problem(422, "A value of the request cannot be stored or compared.")


def _refused_by_database(_request: Request, error: Exception) -> JSONResponse:
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None)
    if sqlstate not in _BY_SQLSTATE:
        raise error
    log.warning("refused by the database", sqlstate=sqlstate, error=str(error).splitlines()[0])
    return problem(*_BY_SQLSTATE[sqlstate])
