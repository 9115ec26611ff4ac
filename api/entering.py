"""What all that people enter has in common: conditions, answers, the lists they stand in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, TypeVar

import sqlalchemy as sa
from fastapi import Depends, Header, Query, Request, Response
from pydantic import BaseModel

from api.answers import known_tags
from api.dependencies import Transaction
from api.errors import Refused
from api.formats import TABLES, Content, Form, answer, content_tag
from api.paging import Cursor, Limit, begin, following
from reports.statements import areas
from storage import farms
from storage.entries import Entries

Model = TypeVar("Model", bound=BaseModel)

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1_000,
        description="ETag of what is to be changed: refused with 412 if it is another by now",
    ),
]
OfFarm = Annotated[str | None, Query(max_length=200, examples=["turkistan-01"])]
OfField = Annotated[int | None, Query(ge=1, le=2**63 - 1, examples=[1])]
JSON = Form("json")

CHANGED: dict[int | str, dict[str, Any]] = {412: {"description": "Changed meanwhile"}}
CREATED: dict[int | str, dict[str, Any]] = {
    201: {
        "headers": {
            "Location": {"schema": {"type": "string"}},
            "ETag": {"schema": {"type": "string"}},
        }
    }
}
SECRET: dict[int | str, dict[str, Any]] = {
    201: {"headers": {"Location": {"schema": {"type": "string"}}}}
}
WITHDRAWN: dict[int | str, dict[str, Any]] = CHANGED | {
    204: {"description": "Withdrawn: it stands no longer, and stays on record"}
}


def a_file(*media_types: str, example: str | None = None) -> dict[str, Any]:
    """What the document says of a body that is a file; what it is, its content tells.

    It is said to be bytes: a client that is made of the document leaves out what takes any other
    type than these and JSON.
    """
    schema: dict[str, Any] = {
        "type": "string",
        "format": "binary",
        "description": f"a file: {', '.join(media_types)}; Content-Type may say so",
    }
    if len(media_types) == 1:
        schema["contentMediaType"] = media_types[0]
    content: dict[str, Any] = {"schema": schema} | ({} if example is None else {"example": example})
    body = {"required": True, "content": {"application/octet-stream": content}}
    return {"requestBody": body}


async def _whole_body(request: Request) -> bytes:
    return await request.body()


WholeBody = Annotated[bytes, Depends(_whole_body)]


def check(if_match: str | None, body: BaseModel) -> None:
    """Refuse a change of what is another by now."""
    if if_match is None or if_match.strip() == "*":
        return
    if tag_of(body) not in known_tags(if_match):
        raise Refused(412, "It was changed meanwhile; read it again, then decide.")


def tag_of(body: BaseModel) -> str:
    """The ETag that GET answers."""
    return content_tag(body.model_dump_json(by_alias=True).encode(), JSON)


def made(body: BaseModel, location: str) -> Response:
    """The answer to a write that made something."""
    return said(body, status=201, headers={"Location": location})


def secret(body: BaseModel, *, status: int = 201, location: str | None = None) -> Response:
    """An answer with what is told once: no cache may keep it."""
    headers = {"Cache-Control": "no-store"}
    headers |= {} if location is None else {"Location": location}
    return Response(body.model_dump_json(), status, headers, "application/json")


def said(
    body: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer with the ETag of what it says."""
    return Response(
        body.model_dump_json(by_alias=True).encode(),
        status,
        {"ETag": tag_of(body), **(headers or {})},
        "application/json",
    )


def changes(asked: BaseModel, *, nullable: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What is to be changed: null changes only what may be unknown."""
    given = asked.model_dump(exclude_unset=True)
    for name, value in given.items():
        if value is None and name not in nullable:
            raise wrong(name, "must not be null")
    return given


def wrong(where: str, words: str) -> Refused:
    """What a body says cannot be; ``where`` is its member."""
    return Refused(422, f"body.{where}: {words}", kind="invalid-parameter")


def placed(connection: sa.Connection, farm: str | None, area: str | None) -> int | None:
    """The farm that a body names, by its number; None where it names an area."""
    try:
        return areas.placed(connection, farm=farm, area=area)
    except ValueError as error:
        raise wrong("area", str(error)) from error


def of_row(model: type[Model], row: Mapping[str, Any]) -> Model:
    """A row as the API says it."""
    return model(**{name: row[name] for name in model.model_fields})


def listed(
    request: Request,
    connection: sa.Connection,
    form: Form,
    entries: Entries,
    model: type[BaseModel],
    name: str,
    *,
    farm: str | None,
    cursor: str | None,
    limit: int,
    **filters: Any,
) -> Response:
    """A page of entries, by id."""
    farm_id = None if farm is None else farms.get(connection, farm).id
    (after,) = begin(request, cursor, [int]) or [0]
    page = entries.page(connection, after=after, limit=limit + 1, farm_id=farm_id, **filters)
    key = (page[limit - 1]["id"],) if len(page) > limit else None
    rows = [of_row(model, row) for row in page[:limit]]
    return answer(request, form, Content(name, model, rows), headers=following(request, key))


class Wanted(NamedTuple):
    """Of which farm or field entries are asked for; None: of all."""

    farm: str | None
    field_id: int | None


class Page(NamedTuple):
    """Which page of a list is asked for, in which form."""

    connection: sa.Connection
    request: Request
    withdrawn: bool
    cursor: str | None
    limit: int
    form: Form

    def of(
        self, entries: Entries, model: type[BaseModel], name: str, wanted: Wanted, **filters: Any
    ) -> Response:
        """This page of the entries that are asked for."""
        return listed(
            self.request,
            self.connection,
            self.form,
            entries,
            model,
            name,
            farm=wanted.farm,
            cursor=self.cursor,
            limit=self.limit,
            withdrawn=self.withdrawn,
            field_id=wanted.field_id,
            **filters,
        )


async def _wanted(farm: OfFarm = None, field_id: OfField = None) -> Wanted:
    return Wanted(farm, field_id)


async def _zone(
    crop_zone_id: Annotated[int | None, Query(ge=1, le=2**63 - 1, examples=[7])] = None,
) -> int | None:
    return crop_zone_id


async def _page(
    connection: Transaction,
    request: Request,
    withdrawn: Annotated[bool, Query(description="those that were withdrawn, too")] = False,
    cursor: Cursor = None,
    limit: Limit = 100,
    form: Form = TABLES.asked,
) -> Page:
    return Page(connection, request, withdrawn, cursor, limit, form)


# Parameters stand in the API's document in the order in which a route takes these.
OfWanted = Annotated[Wanted, Depends(_wanted)]
OfZone = Annotated[int | None, Depends(_zone)]
ThisPage = Annotated[Page, Depends(_page)]
