"""The tree of evidence: its signed heads, what leads from one to the next, and their witnesses."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import known_tags, settled
from api.dependencies import Deeds, Transaction, WhoAsks
from api.entering import CREATED, made
from api.errors import RequestProblem
from api.formats import (
    JSON_ALONE,
    TABLES,
    Content,
    Form,
    answer,
    content_tag,
    representation,
)
from api.idempotency import Once
from api.models_evidence import HeadLine, TreeConsistency
from api.models_reports import SignatureIn, SignedTreeHead
from api.paging import LINK, Cursor, Limit, begin, following
from api.security.guard import needs
from reports.statements import sealing
from reports.statements.signing import BadSignature, KeyUnknown, Signature
from storage import tenancy, tree_heads
from storage.database import NotFound
from storage.tree_heads import StoredHead

router = APIRouter(tags=["evidence"])

MOST = 2**53 - 1  # whole numbers that JSON says exactly
Size = Annotated[int, Path(ge=1, le=MOST, description="entries of the tree", examples=[1])]
Entries = Annotated[int, Query(ge=1, le=MOST, description="entries of a head", examples=[1])]


@router.get(
    "/evidence/heads",
    dependencies=[needs("read:reports")],
    response_model=list[HeadLine],
    responses=TABLES.responses_with(LINK),
)
def list_tree_heads(
    connection: Transaction,
    request: Request,
    larger_than: Annotated[
        int, Query(ge=0, le=MOST, description="heads of later trees than the one of so many")
    ] = 0,
    cursor: Cursor = None,
    limit: Limit = 100,
    form: Form = TABLES.asked,
) -> Response:
    """Heads of the tree, the first one first: whoever keeps them notices when one is changed."""
    (after,) = begin(request, cursor, [int]) or [larger_than]
    page = tree_heads.heads(connection, after=after, limit=limit + 1)
    key = (page[limit - 1].size,) if len(page) > limit else None
    content = Content("tree-heads", HeadLine, [_line(one) for one in page[:limit]])
    return answer(request, form, content, headers=following(request, key))


@router.get(
    "/evidence/heads/newest",
    dependencies=[needs("read:reports")],
    response_model=SignedTreeHead,
    responses=JSON_ALONE.responses,
)
def get_newest_tree_head(
    connection: Transaction, request: Request, form: Form = JSON_ALONE.asked
) -> Response:
    """The head of the tree as it is, byte for byte what `dala verify --head` reads."""
    found = tree_heads.newest(connection)
    if found is None:
        raise NotFound("head yet: nothing was sealed")
    return _head(connection, request, found, form)


@router.get(
    "/evidence/heads/{size}",
    dependencies=[needs("read:reports")],
    response_model=SignedTreeHead,
    responses=JSON_ALONE.responses,
)
def get_tree_head(
    size: Size, connection: Transaction, request: Request, form: Form = JSON_ALONE.asked
) -> Response:
    """A head with the signatures of its witnesses, byte for byte what `dala verify --head` reads.

    Its member `head`, in canonical JSON, is what is signed.
    """
    return _head(connection, request, tree_heads.head(connection, size), form)


@router.get(
    "/evidence/consistency",
    dependencies=[needs("read:reports")],
    response_model=TreeConsistency,
    responses=JSON_ALONE.responses,
)
def get_tree_consistency(
    connection: Transaction,
    request: Request,
    first: Entries,
    second: Entries,
    form: Form = JSON_ALONE.asked,
) -> Response:
    """What shows that the tree of one head begins with that of an earlier, for `dala verify`.

    Sizes are those of heads, the smaller one first.
    """
    try:
        found = sealing.consistency(connection, first, second)
    except ValueError as error:
        raise RequestProblem(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
    return _file(request, found.file(), f"consistency-{first}-{second}", form)


@router.post(
    "/evidence/heads/{size}/countersignatures",
    status_code=201,
    dependencies=[needs("sign:reports")],
    response_model=HeadLine,
    responses=CREATED,
)
def countersign_tree_head(
    size: Size,
    asked: SignatureIn,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
) -> Response:
    """Keep the signature of a witness beside a head, over the canonical bytes of its member `head`.

    A witness has a key that was made known by `dala report trust`, signs with the type (`typ`)
    `dala-tree-head+jws`, and has seen that the tree begins with the one it signed before.
    """

    def make() -> Response:
        found = tree_heads.head(connection, size)
        signature = Signature(asked.protected, asked.signature)
        try:
            with tenancy.for_the_country(connection):
                sealing.countersign(connection, found, signature, author=who.actor)
        except (BadSignature, KeyUnknown) as error:
            raise RequestProblem(f"The signature is refused: {error}.") from error
        deeds.note("evidence.countersign", f"tree-head:{size}", details={"seal": found.seal})
        line = _line(tree_heads.head(connection, size))
        return made(line, f"/v1/evidence/heads/{size}")

    return once.answer(make)


def _head(connection: sa.Connection, request: Request, found: StoredHead, form: Form) -> Response:
    return _file(request, sealing.signed(connection, found).file(), f"tree-head-{found.size}", form)


def _file(request: Request, plain: bytes, name: str, form: Form) -> Response:
    """A file byte for byte, or 304 where the caller has it."""
    headers = {"ETag": content_tag(plain, form), "Cache-Control": "private, no-cache"}
    headers |= representation(form, name)
    if known_tags(request.headers.get("if-none-match", "")) & {headers["ETag"], "*"}:
        return settled(request, Response(status_code=304, headers=headers))
    return settled(request, Response(plain, media_type=form.media_type, headers=headers))


def _line(one: StoredHead) -> HeadLine:
    return HeadLine(
        seal=one.seal,
        size=one.size,
        root=one.root.hex(),
        sealed_at=one.sealed_at,
        kid=one.kid,
        countersignatures=one.countersignatures,
    )
