"""Answers that are kept: the same inputs and the same program make the same bytes.

The tag of such an answer is formed from its inputs, before anything is computed. Who sends it back
is told that nothing changed; who does not is given the bytes of last time. Inputs are read anew, or
known not to have changed (``api.recall``), so there is nothing that could be out of date.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import msgspec
from fastapi import Request, Response

from api.security.caller import SAFE_METHODS
from reports.program import digest

ROOM_BYTES = 64 * 2**20
BESIDE_BYTES = 300  # that a body takes beside itself: its name, and where it is held
ATTEMPTS = 5
# What forms an answer: another version of any of it may form another from the same inputs.
SOURCES = ("analytics", "api", "reports", "storage")


class Answers:
    """Bodies by their names, mostly tags; what was not asked for the longest goes first."""

    def __init__(self, program: str | None = None, room_bytes: int = ROOM_BYTES) -> None:
        self._program = program_digest() if program is None else program
        self._room = room_bytes
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def tag(self, *inputs: object) -> str:
        """A strong ETag of all that an answer depends on."""
        return strong_tag(repr((self._program, *inputs)).encode())

    def get(self, tag: str) -> bytes | None:
        """The body of a tag, where it is still kept."""
        with self._lock:
            if tag in self._bodies:
                self._bodies.move_to_end(tag)
            return self._bodies.get(tag)

    def put(self, tag: str, body: bytes) -> None:
        """Keep a body, unless it alone would take an eighth of the room."""
        if len(body) > self._room // 8:
            return
        with self._lock:
            self._held += len(body) + BESIDE_BYTES
            if (before := self._bodies.pop(tag, None)) is not None:
                self._held -= len(before) + BESIDE_BYTES
            self._bodies[tag] = body
            while self._held > self._room:
                _, oldest = self._bodies.popitem(last=False)
                self._held -= len(oldest) + BESIDE_BYTES


class Ground(NamedTuple):
    """What an answer rests on: as long as nothing of it changes, it is the same."""

    subjects: Sequence[str]  # of storage.changes
    until: dt.datetime | None = None  # from when it may be another, although nothing changed


class Found(NamedTuple):
    """The tag of an answer that is not made yet, and what that rests on, where it is known."""

    tag: str
    ground: Ground | None = None


def program_digest() -> str:
    """Digest of the program that forms answers: its sources and the libraries that count for it."""
    return digest(SOURCES, Path(__file__).resolve().parents[1])


def tagged(
    request: Request,
    find: Callable[[], Found],
    make: Callable[[], bytes],
    *,
    media_type: str = "application/json",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """The answer to a request, or 304 where the caller has it already.

    ``find`` forms the tag from the inputs as they are. It is asked again after ``make`` has formed
    the answer: one during which something changed might be half of before and half of after.
    """
    answers: Answers = request.app.state.answers
    found = find()
    known = known_tags(request.headers.get("if-none-match", ""))
    if found.tag in known or "*" in known:
        said = {**headers, **_headers(found.tag)}
        remember(request, Response(media_type=media_type, headers=said), found, body=found.tag)
        return settled(request, Response(status_code=304, headers=said))
    body = answers.get(found.tag)
    for _ in range(ATTEMPTS):
        if body is not None:
            break
        formed = make()
        before, found = found, find()
        if found.tag == before.tag:
            body = formed
            answers.put(found.tag, body)
        else:
            body = answers.get(found.tag)
    else:
        alone = {**headers, "Cache-Control": "no-store"}
        return settled(request, Response(make(), media_type=media_type, headers=alone))
    answer = Response(body, media_type=media_type, headers={**headers, **_headers(found.tag)})
    remember(request, answer, found, body=found.tag)
    return settled(request, answer)


def remember(request: Request, answer: Response, found: Found, *, body: str) -> None:
    """Let an answer be given again as long as what it rests on stands, where that is known.

    ``body`` is the name under which its bytes are kept, or will be.
    """
    if found.ground is not None:
        request.app.state.recall.keep(request, answer, found, body=body)


def strong_tag(told: bytes) -> str:
    """An ETag of all that makes an answer what it is (RFC 9110, 8.8.3)."""
    return f'"{hashlib.sha256(told).hexdigest()[:32]}"'


def known_tags(header: str) -> set[str]:
    """ETags of a condition; a proxy that packs makes them weak."""
    return {one.strip().removeprefix("W/") for one in header.split(",") if one.strip()}


def settled(request: Request, answer: Response) -> Response:
    """An answer that asks the database for nothing more: a read ends its transaction at once.

    It would else be handed to another thread for that.
    """
    finish = getattr(request.state, "finish", None)
    if finish is not None and request.method in SAFE_METHODS:
        finish()
    return answer


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": "private, no-cache"}


def as_json(
    request: Request,
    content: object,
    *,
    media_type: str = "application/json",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Plain values as JSON, a hundred times as fast as by a model of every row; or 304."""
    body = msgspec.json.encode(content)
    tag = strong_tag(body + media_type.encode())
    said = {**headers, **_headers(tag)}
    if known_tags(request.headers.get("if-none-match", "")) & {tag, "*"}:
        return settled(request, Response(status_code=304, headers=said))
    return settled(request, Response(body, media_type=media_type, headers=said))
