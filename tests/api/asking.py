"""Asks the application without a server between, under any credential."""

import asyncio
import datetime as dt
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api.app import make_app
from api.security import tokens
from api.settings import ApiSettings
from storage import accounts, api_clients
from storage.permissions import SCOPES

PASSWORD = "rain on the steppe 7"
# Argon2 is slow on purpose, and need not be here.
QUICK = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=1_024, parallelism=1),))
HASH = QUICK.hash(PASSWORD)


class Api:
    """The application, and a browser's jar of cookies."""

    def __init__(self, engine: sa.Engine, **settings: Any) -> None:
        quiet: dict[str, Any] = {"api_rate_per_minute": 0, "sign_in_rate_per_minute": 1_000_000}
        self.engine = engine
        self.settings = ApiSettings(**(quiet | settings))
        self.app = make_app(engine, self.settings)
        self.cookies = httpx.Cookies()
        self.base = self.settings.public_url or "http://test"

    def ask(self, method: str, path: str, *, key: str | None = None, **more: Any) -> httpx.Response:
        headers = dict(more.pop("headers", None) or {})
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url=self.base, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, headers=headers, **more)
                self.cookies = client.cookies
                return answer

        return asyncio.run(asked())

    def take_nothing(self, path: str, *, key: str, spec_version: str = "2.3") -> list[int]:
        """Ask, and take not a byte until one is cut off; the statuses of answers that began."""
        place, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": spec_version},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": place,
            "raw_path": place.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"test"), (b"authorization", f"Bearer {key}".encode())],
            "server": ("test", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        begun: list[int] = []
        asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> dict[str, Any]:
            for message in asked:
                return message
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                begun.append(message["status"])
            else:
                await asyncio.Event().wait()

        with pytest.raises(ConnectionAbortedError):
            asyncio.run(self.app(scope, receive, send))
        return begun

    def sign_in(self, login: str, password: str = PASSWORD) -> dict[str, Any]:
        answer = self.ask("POST", "/v1/session", json={"login": login, "password": password})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def write(self, method: str, path: str, csrf: str, **more: Any) -> httpx.Response:
        return self.ask(method, path, headers={"X-CSRF-Token": csrf}, **more)


def put_key(
    engine: sa.Engine,
    name: str,
    *,
    scopes: tuple[str, ...] = tuple(SCOPES),
    lives: dt.timedelta = dt.timedelta(days=1),
    **reach: Any,
) -> str:
    """A client with a key of its own; the key."""
    token = tokens.make(tokens.KEY)
    with engine.begin() as connection:
        client = api_clients.add(connection, name, scopes=list(scopes), created_by="test", **reach)
        api_clients.add_key(
            connection, client.id, tokens.digest(token), beginning=token[:12], lives=lives
        )
    return token


def put_account(engine: sa.Engine, login: str, role: str, **values: Any) -> int:
    """An account with PASSWORD."""
    with engine.begin() as connection:
        added = accounts.add(
            connection, login, name=login.title(), role=role, password_hash=HASH, **values
        )
    return added.id
