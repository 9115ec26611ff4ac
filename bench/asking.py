"""As many requests as a server answers, over connections that are kept."""

from __future__ import annotations

import itertools
import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from embedded.children import ChildError


class Answered(NamedTuple):
    """What came of asking for a while."""

    requests: int
    seconds: float
    bytes: int  # of one answer, with its head

    @property
    def per_second(self) -> float:
        """Requests answered in a second."""
        return self.requests / self.seconds


def ask(
    port: int,
    paths: Sequence[str],
    *,
    token: str,
    seconds: float,
    connections: int = 8,
    status: int = 200,
    headers: str = "",
) -> Answered:
    """Ask for the paths in turn, over and over: each connection again when it is answered.

    Raises
    ------
    embedded.children.ChildError
        If an answer has another status.
    """
    requests = itertools.cycle(
        (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Authorization: Bearer {token}\r\n{headers}\r\n"
        ).encode()
        for path in paths
    )
    begins = f"HTTP/1.1 {status} ".encode()
    with selectors.DefaultSelector() as waiting, ExitStack() as stack:
        opened = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            for _ in range(connections)
        ]
        for socket_ in opened:
            socket_.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            waiting.register(socket_, selectors.EVENT_READ, bytearray())
            socket_.sendall(next(requests))
        answered, size = 0, 0
        begun = time.perf_counter()
        until = begun + seconds
        while time.perf_counter() < until:
            for key, _ in waiting.select(1):
                one, received = key.fileobj, key.data
                assert isinstance(one, socket.socket)  # noqa: S101 - registered above
                received += one.recv(1 << 18)
                if (length := _length(received)) is None or len(received) < length:
                    continue
                if not received.startswith(begins):
                    raise ChildError(f"{paths[0]} was answered {bytes(received[:300])!r}")
                size = length
                del received[:]
                answered += 1
                one.sendall(next(requests))
        taken = time.perf_counter() - begun
    return Answered(answered, taken, size)


def _length(received: bytearray) -> int | None:
    """How long an answer is whose head is there."""
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return None
    at = received.lower().find(b"content-length:", 0, head)
    if at < 0:
        return head + 4
    return head + 4 + int(received[at + 15 : received.find(b"\r\n", at)])
