"""JSON documents of networks: read as they come, with the little that is sure about them."""

import json
from typing import Any

import msgspec

from ingest.messages import PayloadError

_decoder = msgspec.json.Decoder()
# Bytes beyond which the reader of Python is used: it takes a fortieth of the time for numbers such
# as 1e308, of which a long message could consist.
_LONG = 16 * 1024


def load(payload: bytes) -> dict[str, Any]:
    """The JSON object of a message; bare NaN and Infinity pass, to be refused value by value.

    Raises
    ------
    PayloadError
        If the payload is not JSON, or not an object.
    """
    document = load_any(payload)
    if not isinstance(document, dict):
        kind = type(document).__name__
        raise PayloadError("bad-message", f"the message is a JSON object, not a {kind}")
    return document


def load_any(payload: bytes) -> Any:
    """Whatever JSON a message is; PayloadError if it is none."""
    if len(payload) <= _LONG:
        try:
            return _decoder.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise PayloadError("not-json", f"the payload is not valid JSON: {error}") from error


def member(document: object, *path: str) -> Any:
    """What stands at a path of keys; None where the path ends early."""
    for key in path:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document


def members(document: object, *path: str) -> list[Any]:
    """The list at a path of keys; empty where there is none."""
    found = member(document, *path)
    return found if isinstance(found, list) else []
