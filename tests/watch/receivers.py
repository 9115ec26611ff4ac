"""Real servers that receive messages: of webhooks, and of mail."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Received(NamedTuple):
    """A request of a webhook."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """A server for webhooks: answers as ``status`` says, and remembers what it was sent."""

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.status: Callable[[], int] = lambda: 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(Received(self.path, headers, body))
                status = receiver.status()
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/alerts?of=farm"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def receiver(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    made = Receiver(port, tls)
    try:
        yield made
    finally:
        made.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class MailServer:
    """A mail server (RFC 5321) that takes everything but for those it refuses.

    ``refuses`` gives the answer for a recipient, as ``550 5.1.1 no such user``. With ``tls`` it
    offers STARTTLS, or speaks TLS from the first byte on where ``at_once``.
    """

    def __init__(
        self, port: int = 0, tls: ssl.SSLContext | None = None, *, at_once: bool = False
    ) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.commands: list[str] = []  # those inside TLS begin with a "*"
        self.refuses: Callable[[str], str | None] = lambda _address: None
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                try:
                    self.talk()
                except ssl.SSLError:  # the client does not trust us
                    return

            def talk(self) -> None:
                secure = at_once
                if at_once:
                    self.begin_tls()
                self.say("220 mail.test ESMTP")
                while line := self.rfile.readline():
                    command = line.decode().strip()
                    verb = command.split(" ")[0].upper()
                    told = command if verb != "AUTH" else "AUTH"
                    server.commands.append(f"*{told}" if secure else told)
                    if verb == "EHLO":
                        offers = [] if tls is None or secure else ["250-STARTTLS"]
                        for offer in [
                            "250-mail.test",
                            *offers,
                            "250-AUTH PLAIN LOGIN",
                            "250 SMTPUTF8",
                        ]:
                            self.say(offer)
                    elif verb == "STARTTLS":
                        self.say("220 go on")
                        self.begin_tls()
                        secure = True
                    elif verb == "AUTH":
                        self.say("235 welcome")
                    elif verb == "RCPT":
                        address = command.partition("<")[2].partition(">")[0]
                        refusal = server.refuses(address)
                        if refusal is None:
                            server.recipients.append(address)
                        self.say(refusal or "250 fine")
                    elif verb == "DATA":
                        self.say("354 end with a dot")
                        body = b""
                        while (text := self.rfile.readline()) != b".\r\n":
                            body += text.removeprefix(b".") if text.startswith(b"..") else text
                        mail = message_from_bytes(body, policy=policy.default)
                        assert isinstance(mail, EmailMessage)
                        server.mails.append(mail)
                        self.say("250 taken")
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 fine")

            def finish(self) -> None:
                super().finish()
                self.request.close()  # inside TLS it is another than the server closes

            def begin_tls(self) -> None:
                assert tls is not None
                self.request = tls.wrap_socket(self.request, server_side=True)
                self.rfile = self.request.makefile("rb")
                self.wfile = self.request.makefile("wb", 0)

            def say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def mail_server(
    port: int = 0, tls: ssl.SSLContext | None = None, *, at_once: bool = False
) -> Iterator[MailServer]:
    made = MailServer(port, tls, at_once=at_once)
    try:
        yield made
    finally:
        made.close()
