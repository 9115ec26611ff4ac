"""Reports: filed, listed, pulled, countersigned."""

from __future__ import annotations

import json
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import known_tags, settled
from api.dependencies import Deeds, Moment, Transaction, WhoAsks
from api.entering import CREATED, OfFarm, made
from api.errors import NotReady, Refused, RequestProblem
from api.formats import (
    JSON_ALONE,
    TABLES,
    Content,
    Form,
    Offer,
    answer,
    content_tag,
    representation,
)
from api.formats.documents import document
from api.idempotency import Once
from api.languages import ChosenLanguage
from api.models_reports import (
    Kind,
    ObservationOut,
    ReplacedRevision,
    ReportDifference,
    ReportFile,
    ReportIn,
    ReportKeySet,
    ReportLine,
    RevisionOut,
    SignatureIn,
)
from api.paging import LINK, Cursor, Limit, begin, following
from api.security.caller import Caller
from api.security.guard import Door, anybody, needs
from api.settings import ApiSettings
from reports.documents import FORMS, paper
from reports.messages import Language
from reports.statements import filing as statements
from reports.statements.columns import whole
from reports.statements.filing import ReasonMissing
from reports.statements.signing import BadSignature, KeyUnknown, Signature, SigningKey
from reports.statements.statement import Asked, CannotBeFiled
from storage import farms, filing, tenancy
from storage.database import NotFound
from storage.filing import Line, Revision

router = APIRouter(tags=["reports"])

REPORTS = Offer("json", "csv", "xlsx", "pdf", "parquet", "arrow")
Number = Annotated[
    str, Path(max_length=40, description="such as water-2026-0001", examples=["water-2026-0001"])
]
Which = Annotated[
    int | None, Query(ge=0, le=32_767, description="0: as first filed; the newest by default")
]


@router.get(
    "/reports",
    dependencies=[needs("read:reports")],
    response_model=list[ReportLine],
    responses=TABLES.responses_with(LINK),
)
def list_reports(
    connection: Transaction,
    request: Request,
    kind: Kind | None = None,
    area: Annotated[str | None, Query(max_length=20, examples=["KZ-61"])] = None,
    farm: OfFarm = None,
    season: Annotated[int | None, Query(ge=1990, le=2100)] = None,
    changed_since: Annotated[
        Moment | None, Query(description="filed or revised after this, RFC 3339 with offset")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    form: Form = TABLES.asked,
) -> Response:
    """Reports by when they were filed or revised last, so that a pull misses none."""
    farm_id = None if farm is None else farms.get(connection, farm).id
    (after,) = begin(request, cursor, [int]) or [0]
    page = filing.page(
        connection,
        kind=kind,
        area=area,
        farm_id=farm_id,
        season=season,
        changed_since=changed_since,
        after=after,
        limit=limit + 1,
    )
    key = (page[limit - 1].revision_id,) if len(page) > limit else None
    rows = [_line(one) for one in page[:limit]]
    content = Content("reports", ReportLine, rows)
    return answer(request, form, content, headers=following(request, key))


@router.post(
    "/reports",
    status_code=201,
    dependencies=[needs("write:reports")],
    response_model=ReportLine,
    responses=CREATED | {200: {"model": ReportLine, "description": "The same was filed before"}},
)
def file_report(
    asked: ReportIn,
    connection: Transaction,
    request: Request,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
) -> Response:
    """File a report, or a revision of one whose figures have changed since.

    That of an area is for who sees every farm: what stays empty in it depends on the other areas.
    """

    def make() -> Response:
        wanted = _wanted(asked, who)
        key = _key(request.app.state.door.settings)
        try:
            found = statements.file(
                connection,
                wanted,
                key,
                author=who.actor,
                as_of=asked.as_of,
                reason=asked.reason,
            )
        except KeyUnknown as error:
            raise NotReady(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
        except ReasonMissing as error:
            raise Refused(
                409, f"{str(error)[0].upper()}{str(error)[1:]}.", kind="reason-missing"
            ) from error
        except CannotBeFiled as error:
            raise RequestProblem(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
        after = found.revision.id - 1
        (line,) = (
            one
            for one in filing.page(connection, after=after, limit=1)
            if one.revision_id == found.revision.id
        )
        if not found.is_news:
            return answer_line(_line(line), 200)
        details = {"revision": line.revision, "reason": line.reason}
        object_ = f"report:{line.report.number}"
        deeds.note("report.file", object_, farm_id=line.report.farm_id, details=details)
        return answer_line(_line(line), 201)

    return once.answer(make)


def answer_line(line: ReportLine, status: int) -> Response:
    """The answer to a filing."""
    response = made(line, f"/v1/reports/{line.number}")
    response.status_code = status
    return response


@router.get("/reports/keys", dependencies=[anybody(503)], response_model=ReportKeySet)
def list_report_keys(request: Request) -> Response:
    """The public keys of reports (JWKS), for whoever checks one."""
    door: Door = request.app.state.door
    with door.engine.begin() as connection:
        tenancy.enter_entrance(connection)
        found = statements.jwks(connection)
    return Response(json.dumps(found, ensure_ascii=False), media_type="application/json")


@router.get(
    "/reports/{number}",
    dependencies=[needs("read:reports")],
    response_model=ReportFile,
    responses=REPORTS.responses,
)
def get_report(
    number: Number,
    connection: Transaction,
    request: Request,
    language: ChosenLanguage,
    revision: Which = None,
    lang: Annotated[Language | None, Query(description="short for language")] = None,
    form: Form = REPORTS.asked,
) -> Response:
    """A report as it was filed, byte for byte what `dala verify` reads; as a table, its figures.

    As XLSX and PDF it is for people, in their language; the JSON file is what was signed.
    """
    found = _revision(connection, number, revision)
    if form.name in FORMS:
        shown = paper.of_revision(
            connection, found, address=request.app.state.door.settings.public_url
        )
        return document(request, shown, form, lang or language)
    plain = statements.envelope(connection, found)
    headers = {"ETag": content_tag(plain, form), "Cache-Control": "private, no-cache"}
    headers |= representation(form, f"{number}-{found.revision}")
    known = known_tags(request.headers.get("if-none-match", ""))
    if known & {headers["ETag"], "*"}:
        return settled(request, Response(status_code=304, headers=headers))
    body = plain
    if form.name != "json":
        observations = json.loads(found.manifest)["content"]["observations"]
        rows = [ObservationOut(**whole(one)) for one in observations]
        beside = {"REPORT": number, "REVISION": found.revision}
        body = Content(number, ObservationOut, rows, beside=beside).written(form)
    return settled(request, Response(body, media_type=form.media_type, headers=headers))


@router.get(
    "/reports/{number}/revisions",
    dependencies=[needs("read:reports")],
    response_model=list[RevisionOut],
    responses=TABLES.responses,
)
def list_report_revisions(
    number: Number, connection: Transaction, request: Request, form: Form = TABLES.asked
) -> Response:
    """All texts that were filed under a number, the first one first."""
    report = filing.get(connection, number)
    rows = [
        RevisionOut(
            number=number,
            **{name: getattr(one, name) for name in RevisionOut.model_fields if name != "number"},
        )
        for one in filing.revisions(connection, report)
    ]
    return answer(request, form, Content(f"{number}-revisions", RevisionOut, rows))


@router.get(
    "/reports/{number}/difference",
    dependencies=[needs("read:reports")],
    response_model=ReplacedRevision,
    responses=JSON_ALONE.responses,
)
def get_report_difference(
    number: Number,
    connection: Transaction,
    request: Request,
    revision: Which = None,
    form: Form = JSON_ALONE.asked,
) -> Response:
    """What a revision says otherwise than the one before it, figure by figure."""
    found = _revision(connection, number, revision)
    replaced = json.loads(found.manifest)["replaces"]
    if replaced is None:
        raise NotFound(f"revision before the first of report {number}")
    body = ReplacedRevision(
        revision=replaced["revision"],
        digest=replaced["digest"],
        difference=ReportDifference(**replaced["difference"]),
    )
    return answer(request, form, Content(f"{number}-difference", ReplacedRevision, [body], body))


@router.post(
    "/reports/{number}/countersignatures",
    status_code=201,
    dependencies=[needs("sign:reports")],
    response_model=ReportLine,
    responses=CREATED,
)
def countersign_report(
    number: Number,
    asked: SignatureIn,
    connection: Transaction,
    who: WhoAsks,
    deeds: Deeds,
    once: Once,
    revision: Which = None,
) -> Response:
    """Keep a signature of somebody else beside a report, over the bytes of its member `report`.

    Whoever signs has a key that was made known by `dala report trust`.
    """

    def make() -> Response:
        report = filing.get(connection, number)
        found = filing.revision(connection, report, revision)
        signature = Signature(asked.protected, asked.signature)
        try:
            statements.countersign(connection, found, signature, author=who.actor)
        except (BadSignature, KeyUnknown) as error:
            raise RequestProblem(f"The signature is refused: {error}.") from error
        object_ = f"report:{number}"
        details = {"revision": found.revision}
        deeds.note("report.countersign", object_, farm_id=report.farm_id, details=details)
        newest = filing.revision(connection, report)
        (line,) = filing.page(connection, after=newest.id - 1, limit=1)
        return answer_line(_line(line), 201)

    return once.answer(make)


def _revision(connection: sa.Connection, number: str, which: int | None) -> Revision:
    return filing.revision(connection, filing.get(connection, number), which)


def _line(one: Line) -> ReportLine:
    report = one.report
    return ReportLine(
        number=report.number,
        kind=report.kind,
        area=report.area_code,
        farm=one.farm,
        season=report.season,
        start=report.period_start,
        end=report.period_end,
        revision=one.revision,
        as_of=one.as_of,
        filed_at=one.filed_at,
        filed_by=one.filed_by,
        reason=one.reason,
        content_digest=one.content_digest,
        countersignatures=one.countersignatures,
    )


def _wanted(asked: ReportIn, who: Caller) -> Asked:
    if asked.farm is None and not who.reach.everything:
        raise Refused(
            403, "An area's report is filed by who sees every farm.", kind="scope-missing"
        )
    if (asked.start is None) != (asked.end is None):
        raise RequestProblem("give both start and end, or neither.")
    period = None
    if asked.start is not None and asked.end is not None:
        period = asked.start, asked.end
    return Asked(asked.kind, asked.season, asked.farm, asked.area, period)


def _key(settings: ApiSettings) -> SigningKey:
    """The key that reports are filed with."""
    if settings.report_key_file is None:
        raise NotReady("There is no key to sign with: `dala report key`, DALA_REPORT_KEY_FILE.")
    try:
        return SigningKey.read(settings.report_key_file)
    except (OSError, ValueError) as error:
        raise NotReady("The key to sign with cannot be read: `dala report key`.") from error
