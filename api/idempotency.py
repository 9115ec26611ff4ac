"""Writes that may be sent again: an ``Idempotency-Key`` makes the same write happen once.

Within a day the same key with the same request is answered as the first time, with the header
``Idempotent-Replayed: true``. The answer is kept in the transaction of the write itself, so there
is no write without its answer, nor an answer without its write. A write that failed keeps nothing:
sending it again tries again.

Of a secret nothing is kept but its hash, here as elsewhere: the answer of before then has null in
its place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from api.errors import Refused
from storage import kept_answers, tenancy
from storage.kept_answers import Kept

REPLAYED = "Idempotent-Replayed"
_HEADERS = ("content-type", "location", "etag")

# Of a whole answer, those members that are other ones without the secret.
Beside = Callable[[dict[str, Any]], dict[str, Any]]


class Repeatable:
    """A write of the present request."""

    def __init__(self, request: Request, key: str | None, body: bytes) -> None:
        self._request, self._key = request, key
        asked = (request.method, request.url.path, request.url.query)
        self._hash = hashlib.sha256(repr(asked).encode() + b"\n" + body).digest()

    def answer(
        self,
        make: Callable[[], Response],
        *,
        told_once: str | None = None,
        beside: Beside = lambda _: {},
    ) -> Response:
        """What ``make`` answers, or what it answered when the same was sent before.

        Parameters
        ----------
        make : callable
            Does what is asked for.
        told_once : str or None
            The member of its answer that is secret.
        beside : callable
            Of the whole answer, those members that are other ones without the secret.

        Raises
        ------
        Refused
            If another request has the key, or the same is at work just now.
        """
        if self._key is None:
            return make()
        state = self._request.state
        connection, who = state.connection, state.caller
        if not kept_answers.is_first(connection, who.credential, self._key):
            raise Refused(409, "A request with this key is at work.", kind="still-at-work")
        tenancy.enter_entrance(connection)
        kept = kept_answers.find(connection, who.credential, self._key)
        if kept is not None:
            return self._again(kept)
        tenancy.enter(connection, who.reach)
        made = make()
        if made.status_code >= 400:
            return made
        headers = {name: made.headers[name] for name in _HEADERS if name in made.headers}
        body = bytes(made.body)
        if told_once is not None:
            body = _without_secret(body, told_once, beside)
            headers.pop("etag", None)  # it was that of the whole
        tenancy.enter_entrance(connection)
        answered = Kept(self._hash, made.status_code, headers, body)
        kept_answers.put(connection, who.credential, self._key, answered)
        return made

    def _again(self, kept: Kept) -> Response:
        if kept.request_hash != self._hash:
            raise Refused(
                422, "This key was sent with another request; take a new one.", kind="key-taken"
            )
        self._request.state.noted = True  # it stands in the book already
        return Response(kept.body, kept.status, {**kept.headers, REPLAYED: "true"})


def _without_secret(body: bytes, told_once: str, beside: Beside) -> bytes:
    told = json.loads(body)
    return json.dumps(told | beside(told) | {told_once: None}, ensure_ascii=False).encode()


async def _repeatable(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=200,
            description="a key of the client's: sent again within a day, the write happens once",
            examples=["7b3c1c1e-8a1c-4f0e-9f0e-2f9f1f0a7d11"],
        ),
    ] = None,
) -> Repeatable:
    return Repeatable(request, key, await request.body())


Once = Annotated[Repeatable, Depends(_repeatable)]
