"""How much a body may be: what is read and understood on the event loop keeps all others waiting.

JSON is parsed, and what is wrong with it is said name by name, where every request passes: ten
megabytes of names that nobody knows would stop the service for seconds. So a bound is that of what
is asked for; of a file, which is read on a thread of its own, it is the largest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import Request
from starlette.types import Scope

from api.errors import Refused
from api.settings import ApiSettings

# A body is read whole before anybody is asked for a credential, and these ask for none.
TO_STRANGERS = ("/v1/session", "/v1/oauth/")
SMALL = 64 * 2**10  # of strangers, and where no body is asked for at all
OF_JSON = 2**20
OF_A_BOUNDARY = 4 * 2**20  # 50,000 points, as exact and as loosely spaced as programs write them
WITH_A_BOUNDARY = frozenset({"add_field", "change_boundary"})  # by operation
MOST_NAMES = 2_000  # of all objects of a body; a forecast of sixty days has some 500


def room(scope: Scope, settings: ApiSettings) -> int:
    """The largest body that is read. [bytes]

    Before a route was found that is what any may have.
    """
    route = scope.get("route")
    if scope["path"].startswith(TO_STRANGERS):
        most = SMALL
    elif route is None or "requestBody" in (getattr(route, "openapi_extra", None) or {}):
        return settings.body_bytes
    elif getattr(route, "body_field", None) is None:
        most = SMALL
    else:
        most = OF_A_BOUNDARY if route.name in WITH_A_BOUNDARY else OF_JSON
    return min(most, settings.body_bytes)


async def check_names(request: Request) -> None:
    """Refuse JSON with more names than any body has, before each of them is looked up.

    Of one that is no JSON the route says so.
    """
    route = request.scope.get("route")
    if getattr(route, "body_field", None) is None:
        return
    try:
        sent = await request.json()  # FastAPI has parsed it, and it is kept
    except (ValueError, RecursionError):
        return
    count = 0
    for found in _objects(sent):
        count += len(found)
        if count > MOST_NAMES:
            words = f"A body has at most {MOST_NAMES} names here; this one has more."
            raise Refused(422, words, kind="invalid-parameter")


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects in a value; lists of lists are coordinates, in which there are none."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield one
            left += [part for part in one.values() if isinstance(part, (dict, list))]
        elif isinstance(one, list):
            left += [part for part in one if isinstance(part, dict)]
