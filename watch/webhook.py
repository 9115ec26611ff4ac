"""Messages as signed HTTP requests."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

from reports.notices import check_url, signature
from watch.addresses import resolve
from watch.failures import NotSent, no_connection
from watch.settings import WatchSettings

GONE = 410


def send(url: str, body: bytes, *, secret: str, message_id: str, settings: WatchSettings) -> None:
    """Send a message; redirects are not followed.

    Raises
    ------
    NotSent
        If it did not arrive: anything but an answer of 2xx in time.
    """
    try:
        check_url(url, private=settings.webhook_private)
    except ValueError as error:
        raise NotSent(str(error), for_good=True) from error
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "dala",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message_id, timestamp, body),
        "Connection": "close",
    }
    status = _post(url, body, headers, settings)
    if not 200 <= status < 300:
        words = "a redirect, which is not followed" if 300 <= status < 400 else "no success"
        raise NotSent(f"the answer was {status}: {words}", for_good=status == GONE)


def _post(url: str, body: bytes, headers: dict[str, str], settings: WatchSettings) -> int:
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    addresses = resolve(host, port, private=settings.webhook_private)
    deadline = time.monotonic() + settings.webhook_timeout_s
    connection = http.client.HTTPConnection(host, port)
    # Each read has a timeout, but there may be many: of a server that sends a byte a second.
    late = threading.Event()
    timer = threading.Timer(settings.webhook_timeout_s, _cut, (connection, late))
    timer.start()
    try:
        plain = _connect(addresses, port, deadline)
        connection.sock = plain
        _check_time(late, settings)
        if secure:
            context = ssl.create_default_context()
            wrapped = context.wrap_socket(
                plain, server_hostname=host, do_handshake_on_connect=False
            )
            connection.sock = wrapped
            _check_time(late, settings)
            wrapped.do_handshake()
        path = parts.path or "/"
        target = f"{path}?{parts.query}" if parts.query else path
        connection.request("POST", target, body, headers)
        with connection.getresponse() as answer:
            _check_time(late, settings)  # what was cut in its headers reads as if they ended
            return answer.status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise no_connection(host, error) from error
    finally:
        timer.cancel()
        connection.close()


def _check_time(late: threading.Event, settings: WatchSettings) -> None:
    """TimeoutError once time is over: of a socket that came after the cut, nothing else ends it."""
    if late.is_set():
        raise TimeoutError(f"no answer within {settings.webhook_timeout_s:g} s")


def _connect(addresses: list[str], port: int, deadline: float) -> socket.socket:
    failure = OSError("no address")
    for address in addresses:
        try:
            left_s = max(deadline - time.monotonic(), 0.01)
            return socket.create_connection((address, port), timeout=left_s)
        except OSError as error:
            failure = error
    raise failure


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    late.set()
    sock = connection.sock
    if sock is not None:
        with contextlib.suppress(OSError):  # it is closed already
            sock.shutdown(socket.SHUT_RDWR)
