"""Verbs for the people who may sign in: the first one is made here, on the console."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.speaking import fail, say

if TYPE_CHECKING:
    import sqlalchemy as sa

    from storage.accounts import Account

app = typer.Typer(
    help="People who may sign in: create, list, disable, enable, reset.",
    no_args_is_help=True,
)

Login = Annotated[str, typer.Argument(help="Of the account, as `dala account list` has it.")]
Role = Literal["administrator", "agronomist", "operator", "ministry", "reader"]
Farms = Annotated[
    list[str] | None, typer.Option("--farm", help="Short name of a farm to see; may be repeated.")
]
Regions = Annotated[
    list[str] | None,
    typer.Option("--region", help="Region to see, KZ-61, or KZ for all; may be repeated."),
]


@app.command()
def create(
    login: Annotated[str, typer.Option(help="Letters, digits and . _ - @.")],
    role: Annotated[Role, typer.Option(help="What they may do.")],
    name: Annotated[str | None, typer.Option(help="For people; the login by default.")] = None,
    farm: Farms = None,
    region: Regions = None,
    language: Annotated[Literal["kk", "ru", "en"], typer.Option(help="Of the texts.")] = "en",
    link: Annotated[
        bool, typer.Option(help="Print a one-time token instead of asking for a password.")
    ] = False,
) -> None:
    """Let a person in; the first administrator is made so.

    The password is asked for, or read as a line where the input is no terminal; it is never an
    option, where others on the machine could see it.
    """
    from pydantic import ValidationError

    from api.models_access import AccountIn
    from api.security import passwords
    from seeds.services import open_services
    from storage import accounts, farms
    from storage.accounts import AlreadyExists
    from storage.database import NotFound

    try:
        asked = AccountIn(
            login=login,
            name=name or login,
            role=role,
            farms=farm or [],
            regions=region or [],
            language=language,
        )
    except ValidationError as error:
        fail("; ".join(f"--{one['loc'][0]}: {one['msg']}" for one in error.errors()))
    hashed = None if link else _hashed(asked.login)
    with open_services("account") as services:
        services.check_migrated()
        try:
            with services.engine.begin() as connection:
                account = accounts.add(
                    connection,
                    asked.login,
                    farm_ids=farms.ids(connection, asked.farms),
                    password_hash=hashed,
                    **asked.model_dump(exclude={"login", "farms"}),
                )
                _note(connection, "account.create", account.login)
                token = _token(connection, account) if link else None
        except NotFound as error:
            fail(f"Not created: there is no {error}.")
        except (AlreadyExists, passwords.WeakPassword) as error:
            fail(f"Not created: {error}")
    say(f"{account.login} may sign in as {account.role}.")
    if token is not None:
        _show(token)


@app.command("list")
def list_accounts() -> None:
    """Print who may sign in."""
    from rich.console import Console
    from rich.table import Table

    from seeds.services import open_services
    from storage import accounts, farms

    with open_services("account") as services:
        services.check_migrated()
        with services.engine.connect() as connection:
            found = accounts.page(connection, limit=10_000)
            of = farms.slugs(connection, [number for one in found for number in one.farm_ids])
    table = Table("login", "name", "role", "sees", "last signed in")
    for one in found:
        sees = [of[number] for number in one.farm_ids if number in of] + list(one.regions)
        when = "never" if one.last_sign_in_at is None else f"{one.last_sign_in_at:%Y-%m-%d %H:%M}"
        table.add_row(
            one.login,
            one.name,
            one.role,
            "everything" if one.reach.everything else ", ".join(sees) or "nothing",
            "disabled" if one.disabled else when,
        )
    Console().print(table)


@app.command()
def disable(login: Login) -> None:
    """Let somebody in no longer; they are signed out at once."""
    _change(login, disabled=True)
    say(f"{login} may not sign in any more.")


@app.command()
def enable(login: Login) -> None:
    """Let somebody in again."""
    _change(login, disabled=False)
    say(f"{login} may sign in again.")


@app.command()
def reset(login: Login) -> None:
    """Print a token that sets a forgotten password, once, within a day."""
    from seeds.services import open_services
    from storage import accounts
    from storage.database import NotFound

    with open_services("account") as services:
        services.check_migrated()
        try:
            with services.engine.begin() as connection:
                account = accounts.get(connection, login)
                if account.disabled:
                    fail(f"{login} is disabled: `dala account enable {login}` first.")
                accounts.forget_failures(connection, f"login:{account.login}")
                token = _token(connection, account)
                _note(connection, "password.link", account.login)
        except NotFound as error:
            fail(f"There is no {error}.")
    _show(token)


def _change(login: str, *, disabled: bool) -> None:
    from seeds.services import open_services
    from storage import accounts
    from storage.database import NotFound

    with open_services("account") as services:
        services.check_migrated()
        try:
            with services.engine.begin() as connection:
                accounts.change(connection, login, disabled=disabled)
                _note(connection, "account.change", login.lower())
        except NotFound as error:
            fail(f"There is no {error}.")


def _hashed(login: str) -> str:
    from api.security import passwords

    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    try:
        passwords.check(password, login=login)
    except passwords.WeakPassword as error:
        fail(f"Not created: {error}")
    return passwords.hashed(password)


def _token(connection: sa.Connection, account: Account) -> str:
    from api.security import tokens
    from storage import accounts

    token = tokens.make()
    accounts.add_link(connection, account.id, tokens.digest(token), made_by="console")
    return token


def _show(token: str) -> None:
    say(
        "Hand this over; it sets a password once, within 24 hours: on the page under /password, "
        "or as a link https://…/password#TOKEN"
    )
    print(token)


def _note(connection: sa.Connection, action: str, login: str) -> None:
    import getpass

    from storage import audit

    try:
        who = getpass.getuser()
    except (KeyError, OSError):
        who = str(os.getuid())
    audit.record(
        connection,
        actor="console",
        action=action,
        object=f"account:{login}",
        details={"user": who},
    )
