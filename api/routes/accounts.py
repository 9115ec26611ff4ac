"""People who may sign in, as administrators see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response

from api.dependencies import Deeds, Transaction, WhoAsks
from api.entering import CHANGED, SECRET, IfMatch, check, said, secret
from api.errors import Refused
from api.formats import JSON_ALONE, TABLES, Content, Form, answer
from api.idempotency import Once
from api.models_access import AccountChange, AccountIn, AccountOut, LinkOut, NewAccountOut
from api.paging import LINK, Cursor, Limit, begin, following
from api.security import tokens
from api.security.guard import needs
from storage import accounts, farms, locks
from storage.accounts import Account

router = APIRouter(tags=["accounts"])

LoginPath = Annotated[str, Path(max_length=100, examples=["aigul"])]


@router.get(
    "/accounts",
    dependencies=[needs("admin:access")],
    response_model=list[AccountOut],
    responses=TABLES.responses_with(LINK),
)
def list_accounts(
    connection: Transaction,
    request: Request,
    cursor: Cursor = None,
    limit: Limit = 100,
    form: Form = TABLES.asked,
) -> Response:
    """Accounts by login."""
    (after,) = begin(request, cursor, [str]) or [""]
    page = accounts.page(connection, after=after, limit=limit + 1)
    key = (page[limit - 1].login,) if len(page) > limit else None
    content = Content("accounts", AccountOut, _out(connection, page[:limit]))
    return answer(request, form, content, headers=following(request, key))


@router.post(
    "/accounts",
    status_code=201,
    dependencies=[needs("admin:access")],
    response_model=NewAccountOut,
    responses=SECRET,
)
def add_account(
    asked: AccountIn, connection: Transaction, who: WhoAsks, deeds: Deeds, once: Once
) -> Response:
    """Let a person in: they choose their password with the one-time token of the answer."""

    def make() -> Response:
        values = asked.model_dump(exclude={"login", "farms"})
        account = accounts.add(
            connection, asked.login, farm_ids=farms.ids(connection, asked.farms), **values
        )
        link = _link(connection, account, who.actor)
        details = asked.model_dump(include={"role", "farms", "regions"})
        deeds.note("account.create", f"account:{account.login}", details=details)
        (body,) = _out(connection, [account])
        made = NewAccountOut(account=body, password_link=link)
        return secret(made, location=f"/v1/accounts/{quote(body.login, safe='')}")

    return once.answer(make, told_once="password_link")


@router.get(
    "/accounts/{login}",
    dependencies=[needs("admin:access")],
    response_model=AccountOut,
    responses=JSON_ALONE.responses,
)
def get_account(
    login: LoginPath, connection: Transaction, request: Request, form: Form = JSON_ALONE.asked
) -> Response:
    """An account."""
    (body,) = _out(connection, [accounts.get(connection, login)])
    return answer(request, form, Content("account", AccountOut, [body], body))


@router.patch(
    "/accounts/{login}",
    dependencies=[needs("admin:access")],
    response_model=AccountOut,
    responses=CHANGED,
)
def change_account(
    login: LoginPath,
    asked: AccountChange,
    connection: Transaction,
    deeds: Deeds,
    if_match: IfMatch = None,
) -> Response:
    """Change an account; what it may is another from its next request on."""
    locks.wait(connection, f"change account {login}")
    check(if_match, *_out(connection, [accounts.get(connection, login)]))
    values = changes(connection, asked.model_dump(exclude_unset=True))
    had_some = bool(accounts.administrators(connection))
    account = accounts.change(connection, login, **values)
    if had_some and not accounts.administrators(connection):
        raise Refused(409, "Somebody must remain who administers.", kind="last-administrator")
    details = asked.model_dump(exclude_unset=True)
    deeds.note("account.change", f"account:{account.login}", details=details)
    return said(*_out(connection, [account]))


@router.post(
    "/accounts/{login}/password-link",
    status_code=201,
    dependencies=[needs("admin:access")],
    response_model=LinkOut,
)
def make_password_link(
    login: LoginPath, connection: Transaction, who: WhoAsks, deeds: Deeds, once: Once
) -> Response:
    """A token that sets a forgotten password once, within a day; to be handed to the person."""

    def make() -> Response:
        account = accounts.get(connection, login)
        if account.disabled:
            raise Refused(409, "The account is disabled.", kind="account-disabled")
        deeds.note("password.link", f"account:{account.login}")
        return secret(_link(connection, account, who.actor))

    return once.answer(make, told_once="token")


def changes(connection: sa.Connection, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be stored of a change: no null but where null means something."""
    values = {name: value for name, value in asked.items() if value is not None or name == "jwks"}
    if "farms" in values:
        values["farm_ids"] = farms.ids(connection, values.pop("farms"))
    return values


def _link(connection: sa.Connection, account: Account, made_by: str) -> LinkOut:
    token = tokens.make()
    expires_at = accounts.add_link(connection, account.id, tokens.digest(token), made_by=made_by)
    return LinkOut(login=account.login, token=token, expires_at=expires_at)


def _out(connection: sa.Connection, found: Iterable[Account]) -> list[AccountOut]:
    found = list(found)
    of = farms.slugs(connection, [number for one in found for number in one.farm_ids])
    return [
        AccountOut(
            farms=[of[number] for number in one.farm_ids if number in of],
            **{k: v for k, v in one._asdict().items() if k not in {"id", "farm_ids"}},
        )
        for one in found
    ]
