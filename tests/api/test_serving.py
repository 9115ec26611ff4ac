"""Heads that never end, and clients that say nothing, are cut off; all others are served."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn

from api import serving
from api.app import make_app
from storage.database import make_engine

NOBODY = "postgresql://nobody@127.0.0.1:1/none"  # never connected to
ASKED = b"GET /v1/healthz HTTP/1.1\r\nHost: test\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = serving.config(
        make_app(make_engine(NOBODY)), host="127.0.0.1", port=0, log_level="critical"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HEAD_S", 0.3)


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        yield client


def heard(client: socket.socket) -> bytes:
    """All that comes until the server ends the connection."""
    found = b""
    try:
        while piece := client.recv(65_536):
            found += piece
    except ConnectionResetError:
        pass
    return found


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("sent", [b"", b"G", ASKED, ASKED + b"X: y"])
def test_who_does_not_finish_a_head_is_cut_off(port: int, sent: bytes) -> None:
    with connected(port) as client:
        client.sendall(sent)
        begun = time.monotonic()

        assert heard(client) == b""
        assert 0.2 < time.monotonic() - begun < 20


@pytest.mark.usefixtures("hurry")
def test_who_drips_a_head_is_cut_off(port: int) -> None:
    begun = time.monotonic()
    with connected(port) as client:
        client.sendall(ASKED)
        client.settimeout(0.02)
        while time.monotonic() < begun + 25:
            try:
                client.sendall(b"X: y\r\n")
                if client.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break

    assert 0.2 < time.monotonic() - begun < 20


@pytest.mark.usefixtures("hurry")
def test_who_has_an_answer_and_drips_the_next_head_is_cut_off(port: int) -> None:
    with connected(port) as client:
        client.sendall(ASKED + b"\r\n")
        assert client.recv(65_536).startswith(b"HTTP/1.1 200")
        client.sendall(ASKED)
        heard(client)  # ends


BODY = b"POST /v1/session HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"


@pytest.mark.parametrize(
    "head", [b"X: " + b"y" * 200_000, b"X: y\r\n" * 40_000], ids=["one", "many"]
)
@pytest.mark.parametrize("before", [ASKED, BODY + b"0\r\n"], ids=["first", "behind a body"])
def test_an_endless_head_is_refused(port: int, before: bytes, head: bytes) -> None:
    with connected(port) as client:
        sent = 0
        try:
            client.sendall(before)
            for _ in range(500):  # 100 MB, if they were taken
                client.sendall(head)
                sent += len(head)
        except OSError:
            pass
        assert sent < 20_000_000
        told = heard(client)
        assert told == b"" or told.startswith(b"HTTP/1.1 400")


def test_a_connection_serves_one_request_after_another(port: int) -> None:
    with connected(port) as client:
        for _ in range(3):
            client.sendall(ASKED + b"\r\n")
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")


@pytest.mark.usefixtures("hurry")
def test_a_request_at_work_is_not_cut_off_for_its_time(port: int) -> None:
    """Of a body there are bounds of its own; a head that is whole has no more to do with this."""
    with connected(port) as client:
        client.sendall(b"POST /v1/session HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n")
        time.sleep(0.6)
        client.sendall(b"{}")
        assert client.recv(65_536).startswith(b"HTTP/1.1 422")


def test_a_body_is_larger_than_a_head(port: int) -> None:
    with connected(port) as client:
        size = serving.HEAD_BYTES * 8
        client.sendall(
            b"POST /v1/farms HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % size
        )
        client.sendall(b" " * size)
        assert client.recv(65_536).startswith(b"HTTP/1.1 401")


def test_there_is_room_for_streams() -> None:
    assert serving.make_room() >= 1_024


def test_a_head_over_the_wire_has_no_body_and_the_connection_goes_on(port: int) -> None:
    with connected(port) as client:
        for _ in range(2):
            client.sendall(ASKED.replace(b"GET", b"HEAD") + b"\r\n")
            head = client.recv(65_536)
            assert head.startswith(b"HTTP/1.1 200")
            assert head.endswith(b"\r\n\r\n")
            assert b"content-length: 15" in head.lower()
