"""The evidence of a report: with it whoever doubts a figure makes it again."""

from __future__ import annotations

import hashlib
import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from fastapi import APIRouter, Request, Response

from api.answers import known_tags
from api.dependencies import Deeds, Transaction, WhoAsks
from api.errors import NotReady, Refused
from api.formats import TAKEN_S
from api.formats.writers import PIECE
from api.routes.reports import Number, Which
from api.security.guard import Door, needs
from api.taking import Taken
from reports.bundle import making
from storage import filing
from storage.database import take_time

router = APIRouter(tags=["reports"])

BYTES = "application/octet-stream"  # as makers of clients know a file
AT_ONCE = 2  # each takes a connection, and disk for a season's readings
_turns = threading.BoundedSemaphore(AT_ONCE)


@router.get(
    "/reports/{number}/evidence",
    dependencies=[needs("read:reports")],
    response_class=Response,
    responses={
        200: {
            "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
            "description": "A ZIP of Parquet files, as `dala verify --evidence` reads it",
        },
        304: {"description": "As the caller has it"},
        503: {"description": "Others are being made: ask again"},
    },
)
def get_report_evidence(
    number: Number,
    connection: Transaction,
    request: Request,
    who: WhoAsks,
    deeds: Deeds,
    revision: Which = None,
) -> Response:
    """All that a report rests on, of which every figure can be made again.

    Readings and track points of its farms, records and who entered them, as they stood: for who may
    read the farms (`read:farms`), and of an area's report for who sees every farm. It is made while
    the caller waits, some seconds for a farm and minutes for a country; each pull is written down.
    """
    if "read:farms" not in who.scopes:
        raise Refused(403, "This needs the scope read:farms, too.", kind="scope-missing")
    report = filing.get(connection, number)
    if report.farm_id is None and not who.reach.everything:
        raise Refused(
            403,
            "An area's evidence has the rows of every farm: it is for who sees them all.",
            kind="scope-missing",
        )
    found = filing.revision(connection, report, revision)
    details = {"revision": found.revision}
    deeds.note("report.evidence", f"report:{number}", farm_id=report.farm_id, details=details)
    request.state.finish()  # else it would hold two connections
    door: Door = request.app.state.door
    with ExitStack() as held:
        held.callback(door.exports.begin(request.state.caller.credential))
        file = held.enter_context(tempfile.TemporaryFile())
        tag = f'"{_written(request, json.loads(found.manifest), file)[:32]}"'
        headers = {
            "ETag": tag,
            "Cache-Control": "private, no-cache",
            "Vary": "Accept, Authorization, Cookie",
            "Content-Disposition": f'attachment; filename="{number}-{found.revision}-evidence.zip"',
        }
        if known_tags(request.headers.get("if-none-match", "")) & {tag, "*"}:
            return Response(status_code=304, headers=headers)
        headers["Content-Length"] = str(file.tell())
        # Whether all of it is taken, some, or nothing.
        over = held.pop_all().close
        return Taken(_pieces(file), write_s=TAKEN_S, headers=headers, media_type=BYTES, over=over)


def _written(request: Request, report: dict[str, object], file: IO[bytes]) -> str:
    """Write the bundle, and its digest: who takes it slowly then holds no connection."""
    door: Door = request.app.state.door
    digest = hashlib.sha256()

    def send(piece: bytes) -> None:
        digest.update(piece)
        file.write(piece)

    with (
        _turn(),
        door.snapshot(request.state.caller.reach) as connection,
        tempfile.TemporaryDirectory(prefix="dala-evidence-") as folder,
    ):
        take_time(connection)
        making.make(connection, report, send, Path(folder))
    return digest.hexdigest()


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(blocking=False):
        raise NotReady(f"{AT_ONCE} bundles are being made: ask again in a minute.")
    try:
        yield
    finally:
        _turns.release()


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece
