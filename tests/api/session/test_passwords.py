"""Wrong passwords lock out, forgotten ones are set anew, weak ones are refused."""

import pytest
import sqlalchemy as sa
from pwdlib import PasswordHash

from api.security import passwords, signing_in
from api.security.passwords import WeakPassword
from storage import accounts, tables
from tests.api.asking import PASSWORD, Api, put_account
from tests.api.session.people import HOUR, NEW, actions, is_problem, try_password

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
