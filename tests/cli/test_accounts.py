"""The first administrator is made on the console, and nobody sees the password."""

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from api.security import passwords
from cli.accounts import app
from storage import accounts, audit
from tests.api.asking import QUICK, Api

PASSWORD = "ten thousand sheep"


@pytest.fixture
def run(empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch):
    url = empty_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DALA_DATABASE_URL", url)
    monkeypatch.setattr(passwords, "_HASHER", QUICK)

    def run(*arguments: str, typed: str = "", code: int = 0):
        done = CliRunner().invoke(app, arguments, input=typed)
        assert done.exit_code == code, done.output
        return done

    return run


def test_an_administrator_is_made_and_signs_in(run, empty_engine: sa.Engine) -> None:
    made = run("create", "--login", "Boss", "--role", "administrator", typed=f"{PASSWORD}\n")

    assert PASSWORD not in made.output
    api = Api(empty_engine)
    assert api.sign_in("boss", PASSWORD)["role"] == "administrator"
    (deed,) = api.ask("GET", "/v1/audit?action=account.create").json()
    assert (deed["actor"], deed["object"]) == ("console", "account:boss")
    assert "boss" in run("list").output


def test_a_token_is_printed_alone_on_the_output(run, empty_engine: sa.Engine) -> None:
    made = run("create", "--login", "boss", "--role", "administrator", "--link")
    body = {"token": made.stdout.strip(), "new": PASSWORD}
    api = Api(empty_engine)

    assert api.ask("POST", "/v1/session/password", json=body).status_code == 204
    assert api.sign_in("boss", PASSWORD)
    again = {"token": run("reset", "boss").stdout.strip(), "new": "a quiet winter night"}
    assert api.ask("POST", "/v1/session/password", json=again).status_code == 204


def test_who_is_disabled_is_signed_out(run, empty_engine: sa.Engine) -> None:
    run("create", "--login", "boss", "--role", "administrator", typed=f"{PASSWORD}\n")
    api = Api(empty_engine)
    api.sign_in("boss", PASSWORD)

    run("disable", "boss")
    assert api.ask("GET", "/v1/session").status_code == 401
    assert "disabled" in run("reset", "boss", code=1).output
    run("enable", "boss")
    assert api.sign_in("boss", PASSWORD)


@pytest.mark.parametrize(
    ("arguments", "typed", "words"),
    [
        (("create", "--login", "boss", "--role", "reader"), "short\n", "at least 12"),
        (("create", "--login", "b oss", "--role", "reader"), "", "--login"),
        (("create", "--login", "boss", "--role", "reader", "--region", "61"), "", "--region"),
        (
            ("create", "--login", "boss", "--role", "reader", "--farm", "nowhere", "--link"),
            "",
            "farm 'nowhere'",
        ),
        (("disable", "nobody"), "", "account 'nobody'"),
        (("reset", "nobody"), "", "account 'nobody'"),
    ],
)
def test_what_cannot_be_is_one_sentence(run, empty_engine, arguments, typed, words) -> None:
    assert words in run(*arguments, typed=typed, code=1).output
    with empty_engine.connect() as connection:
        assert accounts.page(connection) == []
        assert audit.page(connection) == []
