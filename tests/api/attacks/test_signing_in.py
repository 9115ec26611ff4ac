"""Ways around a sign-in: a session that was planted, names spelt otherwise, links used at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from api.security import passwords, signing_in, tokens
from api.security.limiting import subscriber
from storage import accounts, tables
from tests.api.asking import PASSWORD, QUICK, Api, put_account
from tests.api.session.conftest import nobody
from tests.api.session.people import NEW, is_problem, try_password

__all__ = ["nobody"]  # a fixture


@pytest.fixture
def api(nobody: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setattr(passwords, "_HASHER", QUICK)
    put_account(nobody, "kamila", "administrator")
    return Api(nobody)


def test_a_session_that_was_planted_in_a_browser_is_not_signed_in(api: Api) -> None:
    planted = tokens.make()
    api.cookies.set("dala_session", planted)

    api.sign_in("kamila")

    mine = [one.value for one in api.cookies.jar if one.name == "dala_session"]
    assert planted not in mine[-1:]
    attacker = Api(api.engine)
    attacker.cookies.set("dala_session", planted)
    assert attacker.ask("GET", "/v1/session").status_code == 401


def test_each_sign_in_has_a_token_of_its_own(api: Api) -> None:
    first = Api(api.engine)
    first.sign_in("kamila")
    second = Api(api.engine)
    second.sign_in("kamila")

    assert first.cookies["dala_session"] != second.cookies["dala_session"]


# Latin, capital, Kelvin's K (which is a k in lower case), blanks, marks that nobody sees.
SPELT = (
    *("KAMILA", "Kamila", "\u212aamila", " kamila", "kamila ", "kamila\t", "\u00a0kamila"),
    *("kamila\u200b", "kamıla", "ka\u0301mila", "каmila", "kamila\u0000", "ｋamila", "kamila%00"),
)


def test_a_name_spelt_otherwise_has_no_tries_of_its_own(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a login is spelt: where it leads to the account, its wrong passwords are counted."""
    monkeypatch.setattr(passwords, "matches", lambda given, kept: bool(kept) and given == PASSWORD)
    monkeypatch.setattr(signing_in, "FREE_OF_ADDRESS", 1_000)
    for number in range(signing_in.FREE_OF_LOGIN):
        assert try_password(api, SPELT[number % 3]).status_code == 401

    is_problem(try_password(api, "kamila", PASSWORD), 429, "locked-out")
    for spelt in SPELT:
        answer = try_password(api, spelt, PASSWORD)
        assert answer.status_code in {401, 422, 429}, spelt
        assert not answer.cookies


def test_the_address_of_a_house_is_its_network() -> None:
    assert subscriber("198.51.100.7") == "198.51.100.7"
    assert subscriber("2001:db8:1:2::7") == subscriber("2001:db8:1:2:ffff::1")
    assert subscriber("2001:db8:1:2::7") != subscriber("2001:db8:1:3::7")
    assert subscriber("::ffff:198.51.100.7") == "198.51.100.7"
    assert subscriber("testclient") == "testclient"


def test_a_house_has_no_more_tries_for_having_many_addresses(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "matches", lambda *_: False)
    monkeypatch.setattr(signing_in, "FREE_OF_ADDRESS", 3)
    with api.engine.connect() as connection:
        assert accounts.blocked_for(connection, ["address:2001:db8:1:2::/64"]).total_seconds() == 0
    for number in range(3):
        monkeypatch.setattr("api.security.guard.address", lambda _, n=number: f"2001:db8:1:2::{n}")
        assert try_password(api, f"user-{number}").status_code == 401
    monkeypatch.setattr("api.security.guard.address", lambda _: "2001:db8:1:2:3:4:5:6")

    is_problem(try_password(api, "kamila", PASSWORD), 429, "locked-out")
    monkeypatch.setattr("api.security.guard.address", lambda _: "2001:db8:1:9::1")
    assert try_password(api, "someone").status_code == 401


def test_a_link_that_is_used_twice_at_once_counts_once(api: Api) -> None:
    with api.engine.begin() as connection:
        account = accounts.get(connection, "kamila")
        token = tokens.make()
        accounts.add_link(connection, account.id, tokens.digest(token), made_by="test")

    # Made one after the other: what FastAPI keeps still while it makes one is of the whole process.
    doors = [Api(api.engine) for _ in range(4)]

    def use(number: int) -> int:
        body = {"token": token, "new": f"{NEW} {number}"}
        return doors[number].ask("POST", "/v1/session/password", json=body).status_code

    with ThreadPoolExecutor(4) as threads:
        answers = sorted(threads.map(use, range(4)))

    assert answers == [204, 401, 401, 401]


def test_a_link_of_an_account_that_is_disabled_meanwhile_is_no_good(api: Api) -> None:
    put_account(api.engine, "gone", "reader")
    with api.engine.begin() as connection:
        account = accounts.get(connection, "gone")
        token = tokens.make()
        accounts.add_link(connection, account.id, tokens.digest(token), made_by="test")
        of = tables.accounts.c.id == account.id
        connection.execute(sa.update(tables.accounts).where(of).values(disabled=True))

    answer = api.ask("POST", "/v1/session/password", json={"token": token, "new": NEW})
    is_problem(answer, 401, "link-spent")


@pytest.mark.parametrize("token", ["", "\ud800", "\x00", "a" * 200, "' OR 1=1 --"])
def test_a_token_that_is_none_is_refused(api: Api, token: str) -> None:
    import json

    body = json.dumps({"token": token, "new": NEW}).encode()
    answer = api.ask(
        "POST", "/v1/session/password", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {401, 422}


def test_nobody_is_sent_elsewhere_after_signing_in(api: Api) -> None:
    """Where one goes is said by no parameter: there is nothing to point at another site with."""
    document = api.ask("GET", "/v1/openapi.json").json()
    for path in ("/v1/session", "/v1/session/oidc", "/v1/session/oidc/callback"):
        for operation in document["paths"][path].values():
            names = {one["name"] for one in operation.get("parameters", [])}
            assert names <= {"state", "code"}, path


@pytest.mark.parametrize(
    "cookie", ["W1tb", "W" * 40_000, "e30", "bnVsbA", "eyJzdGF0ZSI6MX0", "===="]
)
def test_a_cookie_of_the_provider_that_is_none_begins_nothing(api: Api, cookie: str) -> None:
    import base64

    deep = base64.urlsafe_b64encode(b"[" * 20_000).decode()
    for value in (cookie, deep):
        answer = api.ask(
            "GET",
            "/v1/session/oidc/callback?state=x&code=y",
            headers={"Cookie": f"dala_session_oidc={value}"},
        )
        is_problem(answer, 401, "sign-in-failed")
