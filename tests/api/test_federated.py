"""People sign in at a small OpenID Connect provider of ours."""

import json
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import ECKey

from api.security.federation import Provider, ProviderError
from storage import tables
from tests.api.asking import Api, put_account

HOME = "http://127.0.0.1:9"
CALLBACK = f"{HOME}/v1/session/oidc/callback"


class SmallProvider(ThreadingHTTPServer):
    """Knows one person, whom it lets in without asking."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.key = ECKey.generate_key("P-256", {"kid": "1"})
        self.signs_with = self.key
        self.codes: dict[str, dict[str, str]] = {}
        self.changed: dict[str, Any] = {}  # claims of the next token, to be wrong
        self.asked = 0
        self.said: dict[str, Any] = {}  # of itself, beside what is right; None: not said
        self.moved_to: str | None = None
        self.speaks_http = True

    def authorize(self, url: str) -> str:
        """What the person's browser does there: the address that it is sent back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (query["response_type"], query["client_id"]) == ("code", "dala")
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return f"{query['redirect_uri']}?code={code}&state={query['state']}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, str] | None:
        asked = self.codes.pop(form["code"], None)
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest())
        right = b64decode(authorization.removeprefix("Basic ")) == b"dala:shared%2Fsecret"
        if asked is None or challenge.rstrip(b"=").decode() != asked["code_challenge"] or not right:
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "dala",
            "sub": "person-7",
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 60,
        } | self.changed
        header = {"alg": "ES256", "kid": self.signs_with.kid}
        signed = jwt.encode(header, claims, self.signs_with, algorithms=["ES256"])
        return {"access_token": "unused", "token_type": "Bearer", "id_token": signed}


class _Handler(BaseHTTPRequestHandler):
    server: SmallProvider

    def do_GET(self) -> None:
        at = self.server.issuer
        self.server.asked += 1
        if not self.server.speaks_http:
            self.wfile.write(b"good day\r\n")
            return
        if self.server.moved_to is not None:
            self.send_response(302)
            self.send_header("Location", self.server.moved_to)
            self.end_headers()
            return
        if self.path == "/.well-known/openid-configuration":
            found: Any = {
                "issuer": at,
                "authorization_endpoint": f"{at}/authorize",
                "token_endpoint": f"{at}/token",
                "jwks_uri": f"{at}/keys",
            } | self.server.said
        else:
            found = {"keys": [self.server.key.as_dict(private=False)]}
        self._answer(200, found)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        found = self.server.token(form, self.headers["Authorization"])
        self._answer(400 if found is None else 200, found or {"error": "invalid_grant"})

    def _answer(self, status: int, found: Any) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[SmallProvider]:
    with SmallProvider() as opened:
        thread = threading.Thread(target=opened.serve_forever, args=(0.02,))
        thread.start()
        yield opened
        opened.shutdown()
        thread.join()


@pytest.fixture
def api(engine: sa.Engine, provider: SmallProvider) -> Iterator[Api]:
    subject = f"{provider.issuer} person-7"
    put_account(engine, "aigul", "reader", federated_subject=subject)
    yield Api(
        engine,
        public_url=HOME,
        oidc_issuer=provider.issuer,
        oidc_client_secret="shared/secret",
    )
    with engine.begin() as connection:
        for table in (tables.sessions, tables.accounts, tables.audit_log):
            connection.execute(sa.delete(table))


def come_back(api: Api, provider: SmallProvider) -> httpx.Response:
    sent = api.ask("GET", "/v1/session/oidc")
    assert sent.status_code == 303
    return api.ask("GET", provider.authorize(sent.headers["location"]))


def test_who_the_provider_knows_and_an_account_names_is_signed_in(
    api: Api, provider: SmallProvider
) -> None:
    answer = come_back(api, provider)

    assert (answer.status_code, answer.headers["location"]) == (303, HOME)
    assert api.ask("GET", "/v1/session").json()["login"] == "aigul"
    come_back(api, provider)
    assert provider.asked == 2  # what it says of itself is asked once


def test_who_has_no_account_does_not_get_one(api: Api, provider: SmallProvider) -> None:
    provider.changed = {"sub": "person-8"}
    assert come_back(api, provider).status_code == 401

    provider.changed = {}
    with api.engine.begin() as connection:
        connection.execute(sa.update(tables.accounts).values(disabled=True))
    assert come_back(api, provider).status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another"},
        {"aud": ["dala", "another"], "azp": "another"},
        {"iss": "http://127.0.0.1:1"},
        {"nonce": "another"},
        {"exp": 1_600_000_000},
        {"iat": 4_000_000_000},
    ],
)
def test_a_token_that_does_not_hold_lets_nobody_in(
    api: Api, provider: SmallProvider, changed: dict[str, Any]
) -> None:
    provider.changed = changed
    assert come_back(api, provider).status_code == 503

    assert api.ask("GET", "/v1/session").status_code == 401


def test_a_token_of_another_key_does_not_hold_and_a_new_key_is_looked_up(
    api: Api, provider: SmallProvider
) -> None:
    provider.signs_with = ECKey.generate_key("P-256", {"kid": "2"})
    assert come_back(api, provider).status_code == 503

    provider.key = provider.signs_with  # and now it is published
    assert come_back(api, provider).status_code == 303


def test_what_another_browser_began_cannot_be_finished_here(
    api: Api, provider: SmallProvider
) -> None:
    sent = Api(api.engine, **api.settings.model_dump()).ask("GET", "/v1/session/oidc")
    back = provider.authorize(sent.headers["location"])

    assert api.ask("GET", back).status_code == 401  # began nothing
    api.ask("GET", "/v1/session/oidc")
    assert api.ask("GET", back).status_code == 401  # began another one
    for query in ("", "?code=x", "?state=x", "?error=access_denied&state=x"):
        assert api.ask("GET", f"/v1/session/oidc/callback{query}").status_code == 401


def test_a_code_counts_once(api: Api, provider: SmallProvider) -> None:
    sent = api.ask("GET", "/v1/session/oidc")
    cookies = dict(api.cookies)
    back = provider.authorize(sent.headers["location"])
    assert api.ask("GET", back).status_code == 303

    for name, value in cookies.items():
        api.cookies.set(name, value)
    assert api.ask("GET", back).status_code == 503


def test_without_a_provider_there_is_none(engine: sa.Engine) -> None:
    assert Api(engine).ask("GET", "/v1/session/oidc").status_code == 404


def test_a_provider_elsewhere_is_reached_over_tls_alone() -> None:
    with pytest.raises(ProviderError, match="TLS"):
        Provider("http://provider.example", "dala", "secret", CALLBACK).begin()


def test_a_provider_that_moved_is_followed_over_tls_alone(provider: SmallProvider) -> None:
    provider.moved_to = "http://provider.example/"

    with pytest.raises(ProviderError, match=r"http://provider\.example/ is not reached over TLS"):
        Provider(provider.issuer, "dala", "secret", CALLBACK).begin()


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_a_provider_that_does_not_say_where_it_is_asked_is_no_fault_of_ours(
    api: Api, provider: SmallProvider, name: str
) -> None:
    provider.said = {name: None}

    answer = api.ask("GET", "/v1/session/oidc")
    assert answer.status_code == 503
    assert name in answer.json()["detail"]


def test_an_answer_that_is_no_http_is_no_fault_of_ours(api: Api, provider: SmallProvider) -> None:
    provider.speaks_http = False

    assert api.ask("GET", "/v1/session/oidc").status_code == 503


def test_an_address_that_is_none_is_no_fault_of_ours(api: Api, provider: SmallProvider) -> None:
    provider.said = {"token_endpoint": "https://["}

    assert come_back(api, provider).status_code == 503
