"""Programs that sign with a key of their own: what is proved, and what is refused."""

import base64
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from api.routes.oauth import KIND, PATH
from api.security.assertions import LEEWAY_S, LONGEST_S
from storage import api_clients, tables
from tests.api.asking import Api
from tests.two_farms import Land, put_land

URL = "https://dala.example"
KEY = ECKey.generate_key("P-256", {"kid": "2025-07"})
OTHER = ECKey.generate_key("P-256", {"kid": "2025-07"})


@pytest.fixture(scope="module")
def lands(engine: sa.Engine) -> Iterator[tuple[Land, Land]]:
    with engine.begin() as connection:
        made = put_land(connection, "mine", "KZ-61"), put_land(connection, "foe", "KZ-43")
    yield made
    names = ", ".join(table.name for table in tables.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@pytest.fixture
def api(engine: sa.Engine, lands: tuple[Land, Land]) -> Iterator[Api]:
    with engine.begin() as connection:
        api_clients.add(
            connection,
            "minagro",
            scopes=["read:farms", "read:reports"],
            regions=["KZ"],
            jwks={"keys": [KEY.as_dict(private=False)]},
            created_by="test",
        )
    yield Api(engine, public_url=URL)
    with engine.begin() as connection:
        for table in ("access_tokens", "client_assertions", "api_clients", "audit_log"):
            connection.execute(sa.delete(tables.metadata.tables[table]))


def assertion(key: Any = KEY, algorithm: str = "ES256", **changed: Any) -> str:
    claims = {
        "iss": "minagro",
        "sub": "minagro",
        "aud": URL + PATH,
        "exp": int(time.time()) + 120,
        "jti": str(uuid.uuid4()),
    } | changed
    header = {"alg": algorithm, "kid": "2025-07"}
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(header, kept, key, algorithms=[algorithm])


def ask(api: Api, signed: str, **more: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": KIND,
        "client_assertion": signed,
    } | more
    return api.ask("POST", PATH, data=form)


def short(bits: int) -> str:
    """A modulus of so many bits, as a JSON Web Key writes it."""
    number = (1 << (bits - 1)) | 1
    return base64.urlsafe_b64encode(number.to_bytes(bits // 8, "big")).rstrip(b"=").decode()


def is_refused(answer: httpx.Response, status: int, error: str) -> str:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["error"] == error
    return str(body["error_description"])


def test_a_token_shows_what_its_client_may_see(api: Api) -> None:
    answer = ask(api, assertion())

    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 1_800)
    assert body["scope"] == "read:farms read:reports"
    found = api.ask("GET", "/v1/farms", key=body["access_token"]).json()
    assert [one["slug"] for one in found] == ["foe", "mine"]
    assert api.ask("GET", "/v1/devices", key=body["access_token"]).status_code == 403


def test_a_token_may_be_asked_for_one_region_and_scope(api: Api) -> None:
    body = ask(api, assertion(), scope="read:farms region:KZ-43").json()

    assert body["scope"] == "read:farms region:KZ-43"
    found = api.ask("GET", "/v1/farms", key=body["access_token"]).json()
    assert [one["slug"] for one in found] == ["foe"]
    assert api.ask("GET", "/v1/farms/mine/summary", key=body["access_token"]).status_code == 404


@pytest.mark.parametrize("scope", ["write:farms", "region:US", "region:", "nonsense"])
def test_nothing_beyond_its_client_is_given(api: Api, scope: str) -> None:
    assert "not of this client" in is_refused(
        ask(api, assertion(), scope=scope), 400, "invalid_scope"
    )


def test_an_assertion_counts_once(api: Api) -> None:
    signed = assertion()

    assert ask(api, signed).status_code == 200
    assert "used before" in is_refused(ask(api, signed), 401, "invalid_client")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"exp": int(time.time()) - LEEWAY_S - 5}, "expired"),
        ({"exp": int(time.time()) + LONGEST_S + 600}, "at most 300 s"),
        ({"exp": None}, "exp"),
        ({"jti": None}, "jti"),
        ({"jti": "x" * 201}, "jti"),
        ({"jti": "a\x00b"}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
        ({"jti": ["a"]}, "jti"),
        ({"exp": "soon"}, "exp"),
        ({"exp": float("nan")}, "exp"),
        ({"exp": float("inf")}, "exp"),
        ({"exp": 10**400}, "exp"),
        ({"nbf": int(time.time()) + 3_600}, "not yet valid"),
        ({"iat": int(time.time()) + 3_600}, "in the future"),
        ({"aud": "https://elsewhere.example" + PATH}, "aud"),
        ({"aud": None}, "aud"),
        ({"iss": "another"}, "iss"),
        ({"sub": "another"}, "no such client"),
    ],
)
def test_an_assertion_that_does_not_say_the_right_thing_proves_nothing(
    api: Api, changed: dict[str, Any], words: str
) -> None:
    assert words in is_refused(ask(api, assertion(**changed)), 401, "invalid_client")


@pytest.mark.parametrize("sub", ["\\ud800", "\\u0000"])
def test_a_name_that_no_database_can_be_asked_for_is_no_clients(api: Api, sub: str) -> None:
    payload = base64.urlsafe_b64encode(f'{{"sub": "{sub}"}}'.encode()).rstrip(b"=").decode()

    assert "sub" in is_refused(ask(api, f"e30.{payload}.e30"), 401, "invalid_client")


@pytest.mark.parametrize(
    "payload", [b"[" * 5_000, b'{"sub":' * 600, b'{"sub": {"a": 1}}', b"9" * 5_000, b"\xff", b""]
)
def test_a_payload_that_is_no_json_of_claims_is_no_clients(api: Api, payload: bytes) -> None:
    packed = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()

    is_refused(ask(api, f"e30.{packed}.e30"), 401, "invalid_client")


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {"kid": 7},
        {"jwk": OTHER.as_dict(private=False)},
        {"jku": "http://127.0.0.1:1/keys", "kid": "elsewhere"},
        {"x5u": "http://127.0.0.1:1/cert", "kid": "elsewhere"},
        {"crit": ["b64"], "b64": False},
        {"crit": ["exp"]},
    ],
)
def test_a_key_that_the_assertion_brings_itself_proves_nothing(
    api: Api, header: dict[str, Any]
) -> None:
    head = json.dumps({"alg": "ES256", "kid": "2025-07"} | header).encode()
    payload = assertion(OTHER).split(".")[1]
    packed = base64.urlsafe_b64encode(head).rstrip(b"=")
    signed = OTHER.get_op_key("sign").sign(
        packed + b"." + payload.encode(), ec.ECDSA(hashes.SHA256())
    )
    r, s = decode_dss_signature(signed)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    signature = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    is_refused(ask(api, f"{packed.decode()}.{payload}.{signature}"), 401, "invalid_client")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", "ES512", "EdDSA"])
def test_an_algorithm_that_is_not_ours_proves_nothing(api: Api, algorithm: str) -> None:
    head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "2025-07"}).encode())
    payload, signature = assertion().split(".")[1:]
    for last in ("", signature):
        signed = f"{head.rstrip(b'=').decode()}.{payload}.{last}"
        is_refused(ask(api, signed), 401, "invalid_client")


def test_another_key_or_algorithm_proves_nothing(api: Api) -> None:
    public = KEY.as_dict(private=False)
    confused = OctKey.import_key(str(public["x"]))  # the public key as a shared secret
    unsigned = assertion().rpartition(".")[0] + "."
    for signed in (
        assertion(OTHER),
        assertion(confused, "HS256"),
        assertion(RSAKey.generate_key(2048), "RS256"),
        unsigned,
        "a.b.c",
        "..",
        "ы" * 100,
    ):
        is_refused(ask(api, signed), 401, "invalid_client")


def test_who_is_disabled_or_has_no_key_gets_none_and_tokens_end(api: Api) -> None:
    token = ask(api, assertion()).json()["access_token"]
    for change in ({"disabled": True}, {"disabled": False, "jwks": None}):
        with api.engine.begin() as connection:
            api_clients.change(connection, "minagro", **change)
        is_refused(ask(api, assertion()), 401, "invalid_client")
    assert api.ask("GET", "/v1/farms", key=token).status_code == 401


def test_a_token_ends(api: Api) -> None:
    token = ask(api, assertion()).json()["access_token"]
    with api.engine.begin() as connection:
        ended = {"expires_at": sa.func.now()}
        connection.execute(sa.update(tables.access_tokens).values(**ended))

    assert api.ask("GET", "/v1/farms", key=token).status_code == 401


def test_a_wrong_request_is_told_in_the_words_of_oauth(api: Api) -> None:
    signed = assertion()
    wrong = ask(api, signed, grant_type="password")
    is_refused(wrong, 400, "unsupported_grant_type")
    is_refused(ask(api, signed, client_assertion_type="x"), 400, "invalid_request")
    assert api.ask("POST", PATH, data={"grant_type": "client_credentials"}).status_code == 422
    assert ask(api, signed).status_code == 200  # it was not used up


def test_without_a_public_address_there_is_no_audience(api: Api, engine: sa.Engine) -> None:
    nameless = Api(engine)

    assert "DALA_PUBLIC_URL" in is_refused(ask(nameless, assertion()), 401, "invalid_client")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (OTHER.as_dict(private=True), "private key"),
        ({"kty": "oct", "k": "c2VjcmV0"}, "RSA or EC"),
        ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "jwks"),
        ({"kty": "EC"}, "jwks"),
        ({"kty": "RSA", "e": "AQAB", "n": short(1024)}, "2048"),
    ],
)
def test_keys_that_must_not_be_there_are_refused(api: Api, key: dict[str, Any], words: str) -> None:
    from api.security.assertions import read_keys

    with pytest.raises(ValueError, match=words):
        read_keys({"keys": [key]})
