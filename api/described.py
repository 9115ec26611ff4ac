"""What the OpenAPI document says beyond the routes' own words: problems, and who may ask."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from api import bodies
from api.errors import TITLES
from api.models import Problem
from api.security.guard import Demand, demands
from storage.permissions import SCOPES

_ALWAYS = (404, 422, 503)
_OF_WRITES = (400, 408, 409, 413)
# Who is told to come later is told when, always.
_LATER = {
    "Retry-After": {
        "description": "seconds until it is worth asking again",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}
_LIMITS = {
    "RateLimit-Policy": {
        "description": "how often one may ask (draft-ietf-httpapi-ratelimit-headers)",
        "schema": {"type": "string", "examples": ['"default";q=1200;w=60']},
    },
    "RateLimit": {
        "description": "what is left of that, and the seconds until it is whole again",
        "schema": {"type": "string", "examples": ['"default";r=0;t=17']},
    },
}
_HEADERS = {429: _LATER | _LIMITS, 503: _LATER}
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def describe(app: FastAPI) -> None:
    """Complete the application's document."""
    plain = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            _complete(document, app)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]


def _complete(document: dict[str, Any], app: FastAPI) -> None:
    parts = document.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for ours in ("HTTPValidationError", "ValidationError"):  # FastAPI's, which we never send
        schemas.pop(ours, None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts["securitySchemes"] = _schemes(app.state.door.settings.cookie)
    for route, demand in demands(app):
        operations = document["paths"].get(route.path_format, {})
        asked: dict[str, Any] = {"path": route.path_format, "route": route.original_route}
        room = bodies.room(asked, app.state.door.settings)
        for method in route.methods or ():
            if (operation := operations.get(method.lower())) is not None:
                _complete_operation(operation, method, demand, room)


def _complete_operation(operation: dict[str, Any], method: str, demand: Demand, room: int) -> None:
    codes = {*_ALWAYS, *demand.refusals}
    if method not in {"GET", "HEAD"}:
        codes |= set(_OF_WRITES)
    responses = operation["responses"]
    codes |= {int(code) for code in responses if code.startswith(("4", "5"))}
    for code in sorted(codes):
        known = responses.get(str(code), {})
        # FastAPI documents its own 422, which is never sent.
        said, content = known.get("description"), known.get("content", {})
        if code == 422 and "application/problem+json" not in content:
            said, content = None, {}
        if code == 413:
            said = f"Too large: a body has at most {room} bytes here"
        told = {"description": said or TITLES[code], "content": _PROBLEM | content}
        responses[str(code)] = told | ({"headers": _HEADERS[code]} if code in _HEADERS else {})
    operation["security"] = _security(demand)
    if demand.scope is not None:
        operation["x-scope"] = demand.scope


def _security(demand: Demand) -> list[dict[str, list[str]]]:
    if demand.kind == "anybody":
        return [{}]
    if demand.kind == "person":
        return [{"session": []}]
    return [{"bearer": []}, {"session": []}, {"oauth2": [demand.scope or ""]}]


def _schemes(cookie: str) -> dict[str, Any]:
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "a key of a client (dala_key_…), or DALA_API_TOKEN",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "of POST /v1/session; whatever writes sends the header X-CSRF-Token too",
        },
        "oauth2": {
            "type": "oauth2",
            "description": "client credentials with private_key_jwt (RFC 7523)",
            "flows": {
                "clientCredentials": {"tokenUrl": "/v1/oauth/token", "scopes": dict(SCOPES)},
            },
        },
    }
