"""One mechanism for every form of an answer: a route offers forms and says what its rows are.

``Offer`` says which forms there are, and chooses; ``answer`` makes the answer of rows of a model,
whatever the form; ``exported`` does so of a table that may have a million rows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import sqlalchemy as sa
from fastapi import Request, Response
from pydantic import BaseModel

from api.answers import Found, Ground, known_tags, remember, settled, strong_tag
from api.formats import tables, writers
from api.formats.choosing import Form, Offer
from api.formats.kept import Kept
from api.formats.tables import Table
from api.security.guard import Door
from api.taking import Taken

TAKEN_S = 60.0  # in which a client must take what it got of a table
_UNSAID = re.compile(r"[^A-Za-z0-9._-]+")

__all__ = [
    "JSON_ALONE",
    "PLACES",
    "TABLES",
    "Content",
    "Form",
    "Offer",
    "Table",
    "answer",
    "exported",
    "feature",
    "representation",
    "streamed",
    "tables",
]

TABLES = Offer("json", "csv", "xlsx", "parquet", "arrow")
PLACES = Offer("json", "geojson", "csv", "xlsx", "parquet", "arrow")
JSON_ALONE = Offer("json")


class Content(NamedTuple):
    """What an answer says, whatever its form."""

    name: str  # of the file
    model: type[BaseModel]
    rows: Sequence[BaseModel]
    body: BaseModel | None = None  # what JSON says, where that is more than a list of the rows
    geometry: Callable[[Any], Mapping[str, Any] | None] | None = None  # of a row, GeoJSON
    beside: Mapping[str, Any] = {}  # columns that all rows of a table share

    def json(self) -> bytes:
        """As JSON."""
        if self.body is not None:
            return self.body.model_dump_json(by_alias=True).encode()
        rows = (row.model_dump_json(by_alias=True).encode() for row in self.rows)
        return b"[" + b",".join(rows) + b"]"

    def written(self, form: Form) -> bytes:
        """In a form."""
        if form.name == "json":
            return self.json()
        if form.name == "geojson":
            place = self.geometry or (lambda _: None)
            found = [feature(row.model_dump(mode="json"), place(row)) for row in self.rows]
            return msgspec.json.encode({"type": "FeatureCollection", "features": found})
        leave_out = frozenset({"geometry"} if self.geometry is not None else ())
        table = tables.of_models(
            self.name, self.model, self.rows, leave_out=leave_out, beside=self.beside
        )
        return b"".join(_pieces(form, table))


def answer(
    request: Request,
    form: Form,
    content: Content,
    *,
    headers: Mapping[str, str] | None = None,
    status: int = 200,
    ground: Ground | None = None,
) -> Response:
    """Answer in the form that was asked for, or 304 where the caller has it already.

    ``ground`` is what the rows rest on, where the answer may be given again (``api.recall``).
    """
    plain = content.json()
    tag = content_tag(plain, form)
    known = known_tags(request.headers.get("if-none-match", ""))
    said = dict(headers or {}) | {"ETag": tag, "Cache-Control": "private, no-cache"}
    said |= representation(form, content.name)
    if request.method == "GET" and (tag in known or "*" in known):
        return settled(request, Response(status_code=304, headers=said))
    body = plain if form.name == "json" else content.written(form)
    made = Response(body, status_code=status, media_type=form.media_type, headers=said)
    if ground is not None:
        # Another route may say the same in JSON and not as a table. A query may be as long as it
        # likes, a name may not.
        asked = repr((request.scope["path"], request.scope["query_string"], tag)).encode()
        kept_as = hashlib.sha256(asked).hexdigest()
        request.app.state.answers.put(kept_as, body)
        remember(request, made, Found(tag, ground), body=kept_as)
    return settled(request, made)


def content_tag(plain: bytes, form: Form) -> str:
    """A strong ETag of what an answer says, in one form."""
    return strong_tag(plain + repr(form).encode())


def feature(properties: dict[str, Any], geometry: Any) -> dict[str, Any]:
    """A GeoJSON feature (RFC 7946)."""
    properties.pop("geometry", None)
    made = {"type": "Feature", "geometry": geometry, "properties": properties}
    return made | ({"id": properties["id"]} if "id" in properties else {})


def exported(
    request: Request,
    form: Form,
    name: str,
    schema: pa.Schema,
    read: Callable[[sa.Connection], Iterable[Sequence[Any]]],
) -> Response:
    """A table of one state of the database, however many rows it has and however long it is sent.

    ``read`` gives its columns as arrays, part by part. All of them are read before the first byte
    leaves: who takes them slowly holds no connection, and what cannot be read is told as a problem
    and not by a file that breaks off. Memory does not grow with the rows.
    """
    request.state.finish()  # else it would hold two connections
    door: Door = request.app.state.door
    end = door.exports.begin(request.state.caller.credential)
    try:
        with door.snapshot(request.state.caller.reach) as connection:
            kept = Kept(schema, tables.batches(schema, read(connection)))
    except BaseException:
        end()
        raise

    def over() -> None:
        kept.close()  # whether all of it was taken, some, or nothing
        end()

    return streamed(form, Table(name, schema, kept), over=over)


def streamed(form: Form, table: Table, *, over: Callable[[], None] = lambda: None) -> Response:
    """A table that is written while it is sent; ``over`` is called afterwards."""
    return Taken(
        _pieces(form, table),
        write_s=TAKEN_S,
        headers=representation(form, table.name),
        media_type=form.media_type,
        over=over,
    )


def representation(form: Form, name: str) -> dict[str, str]:
    """Headers that the form of an answer asks for."""
    headers = {"Vary": "Accept, Authorization, Cookie"}
    if form.name not in {"json", "geojson"}:
        file = _UNSAID.sub("-", name)
        headers["Content-Disposition"] = f'attachment; filename="{file}.{form.name}"'
    return headers


def _pieces(form: Form, table: Table) -> Iterator[bytes]:
    if form.name == "csv":
        return writers.to_csv(table, bom=form.bom)
    write = {
        "xlsx": writers.to_xlsx,
        "parquet": writers.to_parquet,
        "arrow": writers.to_arrow,
    }[form.name]
    return write(table)
