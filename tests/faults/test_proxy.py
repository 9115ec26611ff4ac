"""The bad network itself: what is frozen comes later, what is cut is gone, a COMMIT is caught."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.faults.proxy import BINARY_COPY, COMMIT, Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """Port of a server that says everything back."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                opened, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=_echo, args=(opened,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listening.getsockname()[1])
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def _echo(opened: socket.socket) -> None:
    with opened:
        try:
            while data := opened.recv(4096):
                opened.sendall(data)
        except OSError:
            return


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    made = Proxy(echo)
    yield made
    made.close()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as opened:
        yield opened


def _silent(client: socket.socket, seconds: float = 0.2) -> bool:
    client.settimeout(seconds)
    try:
        return not client.recv(100)
    except TimeoutError:
        return True
    finally:
        client.settimeout(5)


def _is_reset(client: socket.socket) -> bool:
    try:
        return client.recv(100) == b""
    except ConnectionError:
        return True


def test_what_is_frozen_comes_when_it_thaws(proxy: Proxy, client: socket.socket) -> None:
    client.sendall(b"one")
    assert client.recv(100) == b"one"

    proxy.freeze()
    client.sendall(b"two")
    assert _silent(client)
    proxy.mend()

    assert client.recv(100) == b"two"


def test_what_is_cut_is_reset_and_nobody_new_comes_in_until_it_is_mended(
    proxy: Proxy, client: socket.socket
) -> None:
    proxy.cut()
    assert _is_reset(client)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as refused:
        assert _is_reset(refused)

    proxy.mend()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as again:
        again.sendall(b"hello")
        assert again.recv(100) == b"hello"


def test_the_commit_of_a_batch_is_caught_before_it_is_relayed(
    proxy: Proxy, client: socket.socket
) -> None:
    proxy.set_trap("before")
    client.sendall(COMMIT)  # of a transaction that copied nothing
    assert client.recv(100) == COMMIT

    client.sendall(b"d" + BINARY_COPY)
    client.recv(100)
    client.sendall(COMMIT[:5])
    client.recv(100)
    client.sendall(COMMIT[5:])

    assert proxy.trapped.wait(5)
    assert _silent(client)
    proxy.release()
    assert _is_reset(client)


def test_the_answer_to_a_commit_is_caught_after_it_was_relayed(
    proxy: Proxy, client: socket.socket
) -> None:
    proxy.set_trap("after")
    client.sendall(b"d" + BINARY_COPY)
    client.recv(100)
    assert not proxy.trapped.is_set()

    client.sendall(COMMIT)

    assert proxy.trapped.wait(5)  # the other side has answered
    assert _silent(client)
    proxy.release()
    assert _is_reset(client)
