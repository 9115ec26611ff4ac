"""Programs that may ask, and their keys, as administrators see them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response

from api.dependencies import Deeds, Transaction, WhoAsks
from api.entering import CHANGED, CREATED, SECRET, IfMatch, check, made, said, secret
from api.errors import RequestProblem
from api.formats import JSON_ALONE, TABLES, Content, Form, answer
from api.idempotency import Once
from api.models_access import ClientChange, ClientIn, ClientOut, KeyIn, KeyOut, NewKeyOut
from api.paging import LINK, Cursor, Limit, begin, following
from api.routes.accounts import changes
from api.security import assertions, tokens
from api.security.guard import needs
from storage import api_clients, farms, locks
from storage.api_clients import Client

router = APIRouter(tags=["clients"])

ClientPath = Annotated[str, Path(max_length=60, examples=["minagro-registry"])]
KeyId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[1])]


@router.get(
    "/clients",
    dependencies=[needs("admin:access")],
    response_model=list[ClientOut],
    responses=TABLES.responses_with(LINK),
)
def list_clients(
    connection: Transaction,
    request: Request,
    cursor: Cursor = None,
    limit: Limit = 100,
    form: Form = TABLES.asked,
) -> Response:
    """Clients by name."""
    (after,) = begin(request, cursor, [str]) or [""]
    page = api_clients.page(connection, after=after, limit=limit + 1)
    key = (page[limit - 1].name,) if len(page) > limit else None
    content = Content("clients", ClientOut, _out(connection, page[:limit]))
    return answer(request, form, content, headers=following(request, key))


@router.post(
    "/clients",
    status_code=201,
    dependencies=[needs("admin:access")],
    response_model=ClientOut,
    responses=CREATED,
)
def add_client(
    asked: ClientIn, connection: Transaction, who: WhoAsks, deeds: Deeds, once: Once
) -> Response:
    """Let a program in; make it a key, or let it ask for tokens with a key pair of its own."""

    def make() -> Response:
        _check(asked.jwks)
        client = api_clients.add(
            connection,
            asked.name,
            farm_ids=farms.ids(connection, asked.farms),
            created_by=who.actor,
            **asked.model_dump(exclude={"name", "farms"}),
        )
        deeds.note("client.create", f"client:{client.name}", details=asked.model_dump(mode="json"))
        return made(_out(connection, [client])[0], f"/v1/clients/{client.name}")

    return once.answer(make)


@router.get(
    "/clients/{name}",
    dependencies=[needs("admin:access")],
    response_model=ClientOut,
    responses=JSON_ALONE.responses,
)
def get_client(
    name: ClientPath, connection: Transaction, request: Request, form: Form = JSON_ALONE.asked
) -> Response:
    """A client."""
    (body,) = _out(connection, [api_clients.get(connection, name)])
    return answer(request, form, Content("client", ClientOut, [body], body))


@router.patch(
    "/clients/{name}",
    dependencies=[needs("admin:access")],
    response_model=ClientOut,
    responses=CHANGED,
)
def change_client(
    name: ClientPath,
    asked: ClientChange,
    connection: Transaction,
    deeds: Deeds,
    if_match: IfMatch = None,
) -> Response:
    """Change a client; its access tokens end with that."""
    locks.wait(connection, f"change client {name}")
    check(if_match, *_out(connection, [api_clients.get(connection, name)]))
    _check(asked.jwks)
    given = asked.model_dump(exclude_unset=True)
    client = api_clients.change(connection, name, **changes(connection, given))
    deeds.note("client.change", f"client:{client.name}", details=given)
    return said(*_out(connection, [client]))


@router.get(
    "/clients/{name}/keys",
    dependencies=[needs("admin:access")],
    response_model=list[KeyOut],
    responses=TABLES.responses,
)
def list_keys(
    name: ClientPath, connection: Transaction, request: Request, form: Form = TABLES.asked
) -> Response:
    """Keys of a client, newest first; none can be read again."""
    client = api_clients.get(connection, name)
    rows = [KeyOut(**key._asdict()) for key in api_clients.keys(connection, client.id)]
    return answer(request, form, Content(f"{name}-keys", KeyOut, rows))


@router.post(
    "/clients/{name}/keys",
    status_code=201,
    dependencies=[needs("admin:access")],
    response_model=NewKeyOut,
    responses=SECRET,
)
def add_key(
    name: ClientPath, asked: KeyIn, connection: Transaction, deeds: Deeds, once: Once
) -> Response:
    """Make a key; earlier ones stay good, so that the program can change over in its own time."""

    def make() -> Response:
        client = api_clients.get(connection, name)
        token = tokens.make(tokens.KEY)
        key = api_clients.add_key(
            connection,
            client.id,
            tokens.digest(token),
            beginning=token[: len(tokens.KEY) + 4],
            lives=dt.timedelta(days=asked.days),
        )
        deeds.note("key.create", f"client:{client.name}", details={"key": key.id})
        made = NewKeyOut(key=token, id=key.id, expires_at=key.expires_at)
        return secret(made, location=f"/v1/clients/{client.name}/keys")

    return once.answer(make, told_once="key")


@router.delete(
    "/clients/{name}/keys/{key_id}", status_code=204, dependencies=[needs("admin:access")]
)
def revoke_key(name: ClientPath, key_id: KeyId, connection: Transaction, deeds: Deeds) -> None:
    """End a key at once."""
    client = api_clients.get(connection, name)
    api_clients.revoke_key(connection, client.id, key_id)
    deeds.note("key.revoke", f"client:{client.name}", details={"key": key_id})


def _check(jwks: dict[str, Any] | None) -> None:
    if jwks is not None:
        try:
            assertions.read_keys(jwks)
        except ValueError as error:
            raise RequestProblem(str(error)) from error


def _out(connection: sa.Connection, found: Iterable[Client]) -> list[ClientOut]:
    found = list(found)
    of = farms.slugs(connection, [number for one in found for number in one.farm_ids])
    return [
        ClientOut(
            farms=[of[number] for number in one.farm_ids if number in of],
            **{k: v for k, v in one._asdict().items() if k not in {"id", "farm_ids"}},
        )
        for one in found
    ]
