"""People sign in: cookies, what they may, lock-out, forgotten passwords."""

import datetime as dt
from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa
from pwdlib import PasswordHash

from api.security import passwords, signing_in, tokens
from api.security.passwords import WeakPassword
from storage import accounts, audit, farms, tables
from storage.farms import Region
from storage.tenancy import AT_THE_ENTRANCE
from tests.api.asking import PASSWORD, QUICK, Api, put_account, put_key

HOUR = dt.timedelta(hours=1)
NEW = "ten thousand sheep"
WRONG = "wrong"


@pytest.fixture
def nobody(engine: sa.Engine) -> Iterator[sa.Engine]:
    """The test database, of whose people and programs nothing is left after the test."""
    yield engine
    of_farms = {"farms", "regions"}
    with engine.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if table.name in AT_THE_ENTRANCE | {"audit_log"} | of_farms:
                connection.execute(sa.delete(table))


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_HASHER", QUICK)


@pytest.fixture
def api(nobody: sa.Engine) -> Api:
    put_account(nobody, "boss", "administrator")
    return Api(nobody)


def is_problem(answer: httpx.Response, status: int, kind: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    body: dict[str, object] = answer.json()
    assert body["type"] == f"urn:dala:problem:{kind}"
    return body


def put_farm(engine: sa.Engine, slug: str, region: str) -> int:
    place = {"latitude_deg": 43.0, "longitude_deg": 76.0, "elevation_m": 700.0}
    with engine.begin() as connection:
        farms.put_region(connection, Region(region, region[-2:], region, region, region))
        return farms.put(
            connection, slug, name=slug, region_code=region, timezone="Asia/Almaty", **place
        )


def actions(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return [deed.action for deed in audit.page(connection)][::-1]


def try_password(api: Api, login: str, password: str = WRONG) -> httpx.Response:
    return api.ask("POST", "/v1/session", json={"login": login, "password": password})


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


# --- wrong passwords ------------------------------------------------------------------------------


def test_a_wrong_password_is_told_like_an_unknown_login(api: Api) -> None:
    put_account(api.engine, "gone", "reader", disabled=True)
    answers = [
        try_password(api, "boss"),
        try_password(api, "nobody"),
        try_password(api, "gone", PASSWORD),
        try_password(api, "nobody\x00", PASSWORD),
    ]

    told = [is_problem(answer, 401, "sign-in-failed")["detail"] for answer in answers[:3]]
    assert len(set(told)) == 1
    assert answers[3].status_code in {401, 422}
    assert actions(api.engine)[:3] == ["session.refused"] * 3


def test_an_unknown_login_costs_as_much_as_a_wrong_password(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str | None] = []

    def matches(_password: str, kept: str | None) -> bool:
        looked_at.append(kept)
        return False

    monkeypatch.setattr(passwords, "matches", matches)
    try_password(api, "boss")
    try_password(api, "nobody")

    assert len(looked_at) == 2
    assert looked_at[1] is None


def test_the_hash_of_nobody_is_checked_in_earnest() -> None:
    # Same algorithm and same cost as a real one, so that the time is the same.
    real, nobody = PasswordHash.recommended().hash("x" * 12), passwords._NOBODYS

    assert (
        real.rpartition("$")[0].rpartition("$")[0] == nobody.rpartition("$")[0].rpartition("$")[0]
    )
    assert [len(part) for part in real.split("$")] == [len(part) for part in nobody.split("$")]
    assert not passwords.matches("x", None)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 is slow on purpose; here the count matters."""
    monkeypatch.setattr(passwords, "matches", lambda given, kept: bool(kept) and given == PASSWORD)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("login", ["boss", "nobody"])
def test_after_some_wrong_passwords_none_is_looked_at(api: Api, login: str) -> None:
    for _ in range(signing_in.FREE_OF_LOGIN):
        assert try_password(api, login).status_code == 401

    answer = try_password(api, login, PASSWORD)
    is_problem(answer, 429, "locked-out")
    assert 25 <= int(answer.headers["retry-after"]) <= 30


@pytest.mark.usefixtures("quick")
def test_each_further_wrong_password_doubles_the_wait_up_to_a_bound(api: Api) -> None:
    waits = []
    for _ in range(signing_in.FREE_OF_LOGIN + 8):
        try_password(api, "boss")
        with api.engine.begin() as connection:
            waits.append(accounts.blocked_for(connection, ["login:boss"]).total_seconds())
            over = {"blocked_until": sa.func.now() - HOUR}
            connection.execute(sa.update(tables.sign_in_failures).values(**over))

    told = [round(wait) for wait in waits[signing_in.FREE_OF_LOGIN - 1 :]]
    assert told == [30, 60, 120, 240, 480, 900, 900, 900, 900]


@pytest.mark.usefixtures("quick")
def test_the_right_password_forgets_the_wrong_ones(api: Api) -> None:
    for _ in range(signing_in.FREE_OF_LOGIN - 1):
        try_password(api, "boss")
    assert try_password(api, "boss", PASSWORD).status_code == 201
    for _ in range(signing_in.FREE_OF_LOGIN - 1):
        assert try_password(api, "boss").status_code == 401


@pytest.mark.usefixtures("quick")
def test_an_address_that_tries_many_logins_waits_too(api: Api) -> None:
    for number in range(signing_in.FREE_OF_ADDRESS):
        assert try_password(api, f"user-{number}").status_code == 401

    is_problem(try_password(api, "boss", PASSWORD), 429, "locked-out")


def test_attempts_to_sign_in_are_few_a_minute(nobody: sa.Engine) -> None:
    api = Api(nobody, sign_in_rate_per_minute=3)
    body = {"token": "wrong", "new": NEW}
    answers = [api.ask("POST", "/v1/session/password", json=body) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert answers[3].headers["ratelimit-policy"] == '"sign-in";q=3;w=60'
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60


# --- passwords ------------------------------------------------------------------------------------


def test_a_forgotten_password_is_set_once_by_a_link(api: Api) -> None:
    put_account(api.engine, "aigul", "reader")
    other = Api(api.engine)
    other.sign_in("aigul")
    csrf = api.sign_in("boss")["csrf_token"]

    link = api.write("POST", "/v1/accounts/aigul/password-link", csrf).json()
    used = Api(api.engine)
    weak = used.ask("POST", "/v1/session/password", json={"token": link["token"], "new": "short"})
    is_problem(weak, 422, "weak-password")
    body = {"token": link["token"], "new": NEW}
    assert used.ask("POST", "/v1/session/password", json=body).status_code == 204

    is_problem(used.ask("POST", "/v1/session/password", json=body), 401, "link-spent")
    assert other.ask("GET", "/v1/session").status_code == 401  # signed out everywhere
    assert try_password(used, "aigul", PASSWORD).status_code == 401
    assert used.sign_in("aigul", NEW)["login"] == "aigul"
    assert {"password.link", "password.reset"} <= set(actions(api.engine))


def test_a_link_is_good_for_a_day_and_the_newest_alone(api: Api) -> None:
    csrf = api.sign_in("boss")["csrf_token"]
    put_account(api.engine, "aigul", "reader")
    first, second = (
        api.write("POST", "/v1/accounts/aigul/password-link", csrf).json()["token"]
        for _ in range(2)
    )

    body = {"token": first, "new": NEW}
    is_problem(api.ask("POST", "/v1/session/password", json=body), 401, "link-spent")
    with api.engine.begin() as connection:
        (age,) = connection.scalars(sa.select(tables.sign_in_links.c.expires_at - sa.func.now()))
        assert abs(age - 24 * HOUR) < HOUR
        over = {"expires_at": sa.func.now() - HOUR}
        connection.execute(sa.update(tables.sign_in_links).values(**over))
    body = {"token": second, "new": NEW}
    is_problem(api.ask("POST", "/v1/session/password", json=body), 401, "link-spent")


def test_who_is_let_in_chooses_their_password(api: Api) -> None:
    csrf = api.sign_in("boss")["csrf_token"]
    asked = {"login": "Aigul", "name": "Айгүл", "role": "reader", "language": "kk"}
    made = api.write("POST", "/v1/accounts", csrf, json=asked).json()
    again = api.write("POST", "/v1/accounts", csrf, json=asked)

    is_problem(again, 409, "conflict")
    assert made["account"]["login"] == "aigul"
    token = made["password_link"]["token"]
    assert (
        api.ask("POST", "/v1/session/password", json={"token": token, "new": NEW}).status_code
        == 204
    )
    assert Api(api.engine).sign_in("aigul", NEW)["language"] == "kk"


def test_changing_a_password_ends_every_other_session(api: Api) -> None:
    elsewhere = Api(api.engine)
    elsewhere.sign_in("boss")
    csrf = api.sign_in("boss")["csrf_token"]
    assert len(api.ask("GET", "/v1/sessions").json()) == 2

    wrong = {"current": "not it at all", "new": NEW}
    is_problem(api.write("PUT", "/v1/session/password", csrf, json=wrong), 403, "wrong-password")
    right = {"current": PASSWORD, "new": NEW}
    assert api.write("PUT", "/v1/session/password", csrf, json=right).status_code == 204

    (left,) = api.ask("GET", "/v1/sessions").json()
    assert left["current"] is True
    assert elsewhere.ask("GET", "/v1/session").status_code == 401


def test_one_signs_out_in_another_browser_but_nobody_else(api: Api) -> None:
    put_account(api.engine, "aigul", "reader")
    elsewhere, other = Api(api.engine), Api(api.engine)
    elsewhere.sign_in("boss")
    other_csrf = other.sign_in("aigul")["csrf_token"]
    csrf = api.sign_in("boss")["csrf_token"]
    (number,) = [one["id"] for one in api.ask("GET", "/v1/sessions").json() if not one["current"]]

    assert other.write("DELETE", f"/v1/sessions/{number}", other_csrf).status_code == 404
    assert api.write("DELETE", f"/v1/sessions/{number}", csrf).status_code == 204
    assert elsewhere.ask("GET", "/v1/session").status_code == 401


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("elevenchars", "at least 12"),
        ("a" * 201, "at most 200"),
        ("passwordpassword", "first that are guessed"),
        ("PASSWORD123456", "first that are guessed"),
        ("йцукенгшщзхъ", "first that are guessed"),
        ("абвгдежзийкл", "first that are guessed"),
        ("abababababab", "first that are guessed"),
        ("aigul.serik1234", "of the login"),
    ],
)
def test_a_password_that_would_be_guessed_is_refused(password: str, words: str) -> None:
    with pytest.raises(WeakPassword, match=words):
        passwords.check(password, login="aigul.serik")


def test_the_same_letters_typed_differently_are_the_same_password() -> None:
    # й as one code point, and as и with a breve.
    kept = passwords.hashed("майская гроза 12")

    assert passwords.matches("май".replace("й", "и\u0306") + "ская гроза 12", kept)


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

    assert api.ask("GET", "/v1/farms").status_code == 200
    assert api.ask("POST", "/v1/accounts", json={}).status_code == 403  # reading alone
    put_account(nobody, "boss", "administrator")

    assert api.ask("GET", "/v1/farms").status_code == 401
    with nobody.begin() as connection:
        connection.execute(sa.delete(tables.accounts))
    assert api.ask("GET", "/v1/farms").status_code == 401  # closed once is closed
