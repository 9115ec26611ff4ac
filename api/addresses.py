"""Which methods an address takes: each route knows its own alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path

EVENTS = "/v1/events"  # of a stream there is no head without it


def methods_at(app: FastAPI, path: str) -> list[str]:
    """What may be done at an address; nothing where there is none."""
    found = {one for pattern, methods in _routes(app) if pattern.match(path) for one in methods}
    if "GET" in found and path != EVENTS:
        found.add("HEAD")
    return sorted(found)


def _routes(app: FastAPI) -> Sequence[tuple[re.Pattern[str], frozenset[str]]]:
    """Every route of the application; looked through once."""
    if not hasattr(app.state, "addresses"):
        app.state.addresses = [
            (compile_path(one.path or "")[0], frozenset(one.methods or ()))
            for one in iter_route_contexts(app.routes)
        ]
    known: Sequence[tuple[re.Pattern[str], frozenset[str]]] = app.state.addresses
    return known
