"""Which form an answer takes: ``?format=`` says so, else the Accept header, else it is JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import Depends, Query, Request

from api.errors import Refused

MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "geojson": "application/geo+json",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}


class Form(NamedTuple):
    """A form that an answer takes."""

    name: str
    bom: bool = False  # before CSV, for spreadsheets that take UTF-8 for something else

    @property
    def media_type(self) -> str:
        """As the Content-Type says it."""
        return MEDIA_TYPES[self.name] + ("; charset=utf-8" if self.name == "csv" else "")


class Offer:
    """The forms that a route has; the first is what it answers unless asked for another.

    A route takes ``form: Form = OFFER.asked`` and declares ``responses=OFFER.responses``.
    """

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked: Any = Depends(_choice(names))
        others = {MEDIA_TYPES[name]: _schema(name) for name in names if name != "json"}
        self.responses: dict[int | str, dict[str, Any]] = {
            200: {"content": others},
            304: {"description": "Not changed since the answer of the ETag in If-None-Match"},
            406: {"description": f"Not acceptable: there is {', '.join(names)}"},
        }

    def responses_with(self, headers: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
        """The same with more headers."""
        return self.responses | {200: self.responses[200] | {"headers": headers}}


def _schema(name: str) -> dict[str, Any]:
    if name == "geojson":
        return {"schema": {"type": "object", "description": "RFC 7946"}}
    if name == "csv":
        return {"schema": {"type": "string", "description": "RFC 4180, with units in the header"}}
    return {"schema": {"type": "string", "format": "binary"}}


def _choice(names: tuple[str, ...]) -> Any:
    async def choose(request: Request, form: str | None = None, bom: bool = False) -> Form:
        return Form(form or choose_by_accept(request.headers.getlist("accept"), names), bom)

    described = "the form of the answer; goes before the Accept header"
    choose.__annotations__["form"] = Annotated[
        Literal[names] | None, Query(alias="format", description=described)
    ]
    marked = "begin CSV with a byte order mark, for spreadsheets that need one"
    choose.__annotations__["bom"] = Annotated[bool, Query(description=marked)]
    return choose


def choose_by_accept(headers: Sequence[str], names: Sequence[str]) -> str:
    """The form that an Accept header likes best; Refused where it likes none that there is."""
    ranges = [_range(one) for header in headers for one in header.split(",") if one.strip()]
    if not ranges:
        return names[0]
    liked = {name: _quality(MEDIA_TYPES[name], ranges) for name in names}
    best = max(liked.values())
    if best <= 0:
        there = ", ".join(f"{MEDIA_TYPES[name]} (format={name})" for name in names)
        raise Refused(406, f"None of the types you accept is to be had; there is {there}.")
    return next(name for name in names if liked[name] == best)


def _range(text: str) -> tuple[str, float]:
    kind, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = min(max(float(value), 0.0), 1.0)
            except ValueError:
                quality = 0.0
    return kind, 0.0 if math.isnan(quality) else quality


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """By the most specific range that the type is in (RFC 9110, 12.5.1)."""
    family = media_type.partition("/")[0]
    for wanted in (media_type, f"{family}/*", "*/*"):
        found = [quality for kind, quality in ranges if kind == wanted]
        if found:
            return max(found)
    return 0.0
