"""People sign in: cookies, requests of other sites, roles, programs' keys."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from api.security import tokens
from storage import accounts, tables
from tests.api.asking import PASSWORD, Api, put_account, put_key
from tests.api.session.people import HOUR, actions, is_problem, put_farm, try_password
from tests.api.waiting import wait_for_a_lock

# --- cookies --------------------------------------------------------------------------------------


def test_a_session_is_a_cookie_that_scripts_do_not_see(api: Api) -> None:
    answer = try_password(api, "Boss", PASSWORD)

    assert answer.status_code == 201
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("dala_session=")
    for part in ("HttpOnly", "Path=/", "SameSite=lax", "Max-Age=2592000"):
        assert part in cookie
    assert "Secure" not in cookie  # without TLS a browser would not send it back
    assert answer.json()["role"] == "administrator"
    assert api.ask("GET", "/v1/session").json() == answer.json()
    assert actions(api.engine) == ["session.open"]


def test_over_tls_the_cookie_is_bound_to_the_host(nobody: sa.Engine) -> None:
    put_account(nobody, "boss", "administrator")
    api = Api(nobody, public_url="https://dala.example")

    answer = try_password(api, "boss", PASSWORD)

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-dala=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert api.ask("GET", "/v1/session").status_code == 200


def test_only_a_hash_of_the_token_is_stored(api: Api) -> None:
    api.sign_in("boss")
    token = api.cookies["dala_session"]

    with api.engine.connect() as connection:
        (kept,) = connection.scalars(sa.select(tables.sessions.c.token_hash))
    assert kept == tokens.digest(token)
    assert len(token) >= 43  # 256 bits in base64


def test_signing_out_ends_the_session_on_the_server_too(api: Api) -> None:
    csrf = api.sign_in("boss")["csrf_token"]
    token = api.cookies["dala_session"]

    assert api.write("DELETE", "/v1/session", csrf).status_code == 204

    api.cookies.set("dala_session", token)
    assert api.ask("GET", "/v1/session").status_code == 401


@pytest.mark.parametrize(
    "over",
    [
        {"expires_at": sa.func.now() - HOUR},
        {"last_seen_at": sa.func.now() - 25 * HOUR},
    ],
)
def test_a_session_that_is_old_or_was_idle_is_over(api: Api, over: dict[str, object]) -> None:
    api.sign_in("boss")
    with api.engine.begin() as connection:
        connection.execute(sa.update(tables.sessions).values(**over))

    assert api.ask("GET", "/v1/accounts").status_code == 401


def test_a_session_in_use_stays(api: Api) -> None:
    api.sign_in("boss")
    with api.engine.begin() as connection:
        earlier = sa.func.now() - 23 * HOUR
        connection.execute(sa.update(tables.sessions).values(last_seen_at=earlier))

    assert api.ask("GET", "/v1/accounts").status_code == 200
    with api.engine.connect() as connection:
        age = connection.scalar(sa.select(sa.func.now() - tables.sessions.c.last_seen_at))
    assert age is not None
    assert age < HOUR


# --- requests of other sites ----------------------------------------------------------------------


def test_a_write_needs_what_another_site_cannot_know(api: Api) -> None:
    csrf = api.sign_in("boss")["csrf_token"]
    asked = {"login": "aigul", "name": "Aigul", "role": "reader"}

    for headers in ({}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": ""}):
        answer = api.ask("POST", "/v1/accounts", json=asked, headers=headers)
        is_problem(answer, 403, "csrf")
    assert api.write("POST", "/v1/accounts", csrf, json=asked).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
def test_a_page_of_another_site_is_refused(api: Api, headers: dict[str, str]) -> None:
    csrf = api.sign_in("boss")["csrf_token"]

    written = api.ask("DELETE", "/v1/session", headers=headers | {"X-CSRF-Token": csrf})
    is_problem(written, 403, "csrf")
    body = {"login": "boss", "password": PASSWORD}
    is_problem(api.ask("POST", "/v1/session", json=body, headers=headers), 403, "csrf")


def test_our_own_page_is_not(api: Api) -> None:
    csrf = api.sign_in("boss")["csrf_token"]
    own = {"Origin": "http://test", "Sec-Fetch-Site": "same-origin", "X-CSRF-Token": csrf}

    assert api.ask("DELETE", "/v1/session", headers=own).status_code == 204


# --- roles and farms ------------------------------------------------------------------------------


def test_an_operator_sees_their_farm_and_a_ministry_its_region(nobody: sa.Engine) -> None:
    mine, _theirs = put_farm(nobody, "mine", "KZ-61"), put_farm(nobody, "foe", "KZ-43")
    put_account(nobody, "erlan", "operator", farm_ids=[mine])
    put_account(nobody, "ministry", "ministry", regions=["KZ-43"])
    operator, ministry = Api(nobody), Api(nobody)

    assert operator.sign_in("erlan")["farms"] == ["mine"]
    assert ministry.sign_in("ministry")["regions"] == ["KZ-43"]
    assert [one["slug"] for one in operator.ask("GET", "/v1/farms").json()] == ["mine"]
    assert [one["slug"] for one in ministry.ask("GET", "/v1/farms").json()] == ["foe"]
    assert operator.ask("GET", "/v1/farms/foe/summary").status_code == 404
    assert ministry.ask("GET", "/v1/devices").status_code == 403  # figures, not readings
    assert operator.ask("GET", "/v1/accounts").status_code == 403


def test_a_change_of_an_account_counts_from_the_next_request_on(nobody: sa.Engine) -> None:
    mine, theirs = put_farm(nobody, "mine", "KZ-61"), put_farm(nobody, "foe", "KZ-43")
    put_account(nobody, "boss", "administrator")
    put_account(nobody, "erlan", "operator", farm_ids=[mine])
    operator, boss = Api(nobody), Api(nobody)
    operator.sign_in("erlan")
    csrf = boss.sign_in("boss")["csrf_token"]

    changed = boss.write("PATCH", "/v1/accounts/erlan", csrf, json={"farms": ["foe"]})
    assert changed.json()["farms"] == ["foe"]
    assert [one["slug"] for one in operator.ask("GET", "/v1/farms").json()] == ["foe"]

    boss.write("PATCH", "/v1/accounts/erlan", csrf, json={"disabled": True})
    assert operator.ask("GET", "/v1/farms").status_code == 401
    assert try_password(operator, "erlan", PASSWORD).status_code == 401
    assert theirs != mine


def test_somebody_remains_who_administers(api: Api) -> None:
    csrf = api.sign_in("boss")["csrf_token"]

    for change in ({"disabled": True}, {"role": "reader"}):
        answer = api.write("PATCH", "/v1/accounts/boss", csrf, json=change)
        is_problem(answer, 409, "last-administrator")
    assert api.ask("GET", "/v1/accounts").status_code == 200  # and is still signed in


def test_of_two_administrators_who_let_each_other_go_at_once_one_remains(api: Api) -> None:
    put_account(api.engine, "chief", "administrator")
    csrf = api.sign_in("boss")["csrf_token"]

    with ThreadPoolExecutor(1) as threads:
        with api.engine.begin() as connection:  # as a request of chief's does
            accounts.administrators(connection)
            accounts.change(connection, "boss", role="agronomist")
            answer = threads.submit(
                api.write, "PATCH", "/v1/accounts/chief", csrf, json={"disabled": True}
            )
            wait_for_a_lock(api.engine)
        is_problem(answer.result(), 409, "last-administrator")


# --- keys of programs -----------------------------------------------------------------------------


def test_keys_overlap_so_that_one_replaces_another_without_a_gap(api: Api) -> None:
    csrf = api.sign_in("boss")["csrf_token"]
    asked = {"name": "registry", "scopes": ["read:farms"], "everything": True}
    assert api.write("POST", "/v1/clients", csrf, json=asked).status_code == 201
    old = api.write("POST", "/v1/clients/registry/keys", csrf, json={}).json()
    new = api.write("POST", "/v1/clients/registry/keys", csrf, json={"days": 30}).json()
    program = Api(api.engine)

    for made in (old, new):
        assert program.ask("GET", "/v1/farms", key=made["key"]).status_code == 200
    gone = api.write("DELETE", f"/v1/clients/registry/keys/{old['id']}", csrf)
    assert gone.status_code == 204
    assert program.ask("GET", "/v1/farms", key=old["key"]).status_code == 401
    assert program.ask("GET", "/v1/farms", key=new["key"]).status_code == 200
    listed = api.ask("GET", "/v1/clients/registry/keys").json()
    assert [(one["id"], one["revoked_at"] is None) for one in listed] == [
        (new["id"], True),
        (old["id"], False),
    ]
    assert listed[0]["last_used_at"] is not None
    assert new["key"] not in str(listed)


def test_a_disabled_client_is_cut_off(api: Api) -> None:
    key = put_key(api.engine, "registry", everything=True)
    csrf = api.sign_in("boss")["csrf_token"]
    program = Api(api.engine)
    assert program.ask("GET", "/v1/farms", key=key).status_code == 200

    api.write("PATCH", "/v1/clients/registry", csrf, json={"disabled": True})

    assert program.ask("GET", "/v1/farms", key=key).status_code == 401


def test_the_book_says_who_did_what_under_which_request(api: Api) -> None:
    csrf = api.sign_in("boss")["csrf_token"]
    asked = {"login": "aigul", "name": "Aigul", "role": "reader"}
    headers = {"X-CSRF-Token": csrf, "X-Request-ID": "order-66"}
    api.ask("POST", "/v1/accounts", json=asked, headers=headers)

    (deed,) = api.ask("GET", "/v1/audit?action=account.create").json()
    assert (deed["actor"], deed["object"]) == ("account:boss", "account:aigul")
    assert deed["request_id"] == "order-66"
    assert deed["details"] == {"role": "reader", "farms": [], "regions": []}
    page = api.ask("GET", "/v1/audit?limit=1")
    assert api.ask("GET", page.links["next"]["url"]).json()[0]["action"] == "session.open"


def test_lists_of_administrators_are_paged_by_cursor(api: Api) -> None:
    csrf = api.sign_in("boss")["csrf_token"]
    for number in range(3):
        asked = {"name": f"program-{number}", "scopes": ["read:farms"], "everything": True}
        assert api.write("POST", "/v1/clients", csrf, json=asked).status_code == 201

    for path, key in (("clients", "name"), ("accounts", "login"), ("audit", "id")):
        whole = api.ask("GET", f"/v1/{path}")
        found, asked_for = [], f"/v1/{path}?limit=1"
        while asked_for:
            page = api.ask("GET", asked_for)
            found += [one[key] for one in page.json()]
            asked_for = page.links.get("next", {}).get("url", "")
        assert "next" not in whole.links
        assert found == [one[key] for one in whole.json()]
        refused = api.ask("GET", f"/v1/{path}?cursor=none-of-ours")
        assert refused.json()["type"] == "urn:dala:problem:cursor"


def test_a_client_that_is_made_twice_with_one_key_is_made_once(api: Api) -> None:
    csrf = api.sign_in("boss")["csrf_token"]
    asked = {"name": "registry", "scopes": ["read:farms"], "everything": True}
    headers = {"X-CSRF-Token": csrf, "Idempotency-Key": "one"}

    first, again = (api.ask("POST", "/v1/clients", json=asked, headers=headers) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.headers["location"] == "/v1/clients/registry"
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    assert api.write("POST", "/v1/clients", csrf, json=asked).status_code == 409


def test_a_new_service_is_open_to_readers_until_somebody_may_sign_in(nobody: sa.Engine):
    api = Api(nobody, api_open_at_first=True)
    api.base = "http://localhost"

    assert api.ask("GET", "/v1/farms").status_code == 200
    assert api.ask("POST", "/v1/accounts", json={}).status_code == 403  # reading alone
    put_account(nobody, "boss", "administrator")

    assert api.ask("GET", "/v1/farms").status_code == 401
    with nobody.begin() as connection:
        connection.execute(sa.delete(tables.accounts))
    assert api.ask("GET", "/v1/farms").status_code == 401  # closed once is closed


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        *[(one, True) for one in ("127.0.0.1", "[::1]", "localhost", "192.168.1.7", "LOCALHOST")],
        *[(one, False) for one in ("evil.example", "localhost.evil.example", "127.0.0.1.nip.io")],
        *[(one, False) for one in ("", "0x7f000001", "127.1", "test")],
    ],
)
def test_an_open_server_answers_nobody_whose_name_leads_here(
    nobody: sa.Engine, host: str, answered: bool
) -> None:
    """A page of another site may let its own name lead to this machine (DNS rebinding)."""
    api = Api(nobody, api_open=True)

    for port in ("", ":8080"):
        answer = api.ask("GET", "/v1/farms", headers={"Host": f"{host}{port}"})
        assert answer.status_code == (200 if answered else 401), answer.text
