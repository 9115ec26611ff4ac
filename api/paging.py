"""Pages by key: a cursor says after which row a page begins, and of which question it is.

A cursor holds no secret: each page is read with the rights of who asks for it. It carries a digest
of its question, so that one that was changed, cut, or taken from another list is told from one of
ours, and answered with 422.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query, Request

from api.errors import Refused

MOST_ROWS = 1_000

Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="rows of one page")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=500, description='where a page begins: follow the Link header with rel="next"'
    ),
]


LINK: dict[str, Any] = {
    "Link": {
        "description": 'the next page, where there is one: <…>; rel="next" (RFC 8288)',
        "schema": {"type": "string"},
    }
}


def begin(request: Request, cursor: str | None, kinds: Sequence[type]) -> list[Any] | None:
    """The key after which the page begins; None for the first page.

    Raises
    ------
    Refused
        If the cursor is none of this question's.
    """
    if cursor is None:
        return None
    try:
        packed = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==")
        digest, text = packed[:12], packed[12:]
        key: list[Any] = json.loads(text)
        is_storable = all(map(_is_storable, key))
    except (ValueError, TypeError):
        raise _wrong() from None
    is_ours = digest == _digest(request, text) and isinstance(key, list)
    if not (is_ours and is_storable) or [type(one) for one in key] != list(kinds):
        raise _wrong()
    return key


def _is_storable(value: Any) -> bool:
    """Whether the database can compare with it: what it cannot, it says in its log."""
    if isinstance(value, str):
        value.encode()  # ValueError for half a character
        return "\0" not in value
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def following(request: Request, key: Sequence[Any] | None) -> Mapping[str, str]:
    """The Link header to the page after the row of a key; nothing after the last page."""
    if key is None:
        return {}
    text = json.dumps(list(key), separators=(",", ":")).encode()
    cursor = base64.urlsafe_b64encode(_digest(request, text) + text).decode().rstrip("=")
    return {"Link": f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'}


def _digest(request: Request, text: bytes) -> bytes:
    asked = sorted(
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in {"cursor", "limit", "format", "bom"}
    )
    question = repr((request.url.path, asked)).encode()
    return hashlib.sha256(question + b"\n" + text).digest()[:12]


def _wrong() -> Refused:
    return Refused(
        422,
        "This cursor is none of this list's: follow its Link header, or begin without a cursor.",
        kind="cursor",
    )
