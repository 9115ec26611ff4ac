"""What the API says of reports; the columns of observations have the names of SDMX."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.dependencies import Moment
from api.models import Out

Kind = Literal["water", "savings", "yields", "harvest", "programme"]
_TOTAL = "_T: not divided by this"


class ReportLine(Out):
    """A report by its newest revision."""

    number: str = Field(examples=["water-2026-0001"])
    kind: Kind
    area: str | None = Field(description="null: of a farm", examples=["KZ-61"])
    farm: str | None = Field(description="null: of an area", examples=["turkistan-01"])
    season: int = Field(examples=[2025])
    start: dt.date | None = Field(description="of a part of a season; null: the whole")
    end: dt.date | None = Field(description="the day after its last")
    revision: int = Field(description="0: as first filed", examples=[0])
    as_of: dt.datetime
    filed_at: dt.datetime
    filed_by: str = Field(examples=["account:anna"])
    reason: str | None = Field(description="why figures changed; null: as first filed")
    content_digest: str = Field(description="SHA-256 of the content, in hex")
    countersignatures: int


class RevisionOut(Out):
    """One of the texts that were filed under a number."""

    number: str = Field(examples=["water-2026-0001"])
    revision: int
    as_of: dt.datetime
    filed_at: dt.datetime
    filed_by: str
    reason: str | None
    content_digest: str
    kid: str = Field(description="of the key that signed it")


class ReportIn(BaseModel):
    """What is to be filed: of a farm or of an area."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = Field(examples=["water"])
    season: int = Field(ge=1990, le=2100, description="year of harvest", examples=[2025])
    area: str | None = Field(default=None, max_length=20, description="KZ, a region or a district")
    farm: str | None = Field(default=None, max_length=200, examples=["turkistan-01"])
    start: dt.date | None = Field(
        default=None, description="of a farm's water statement: of a part of the season"
    )
    end: dt.date | None = Field(default=None, description="the day after its last")
    as_of: Moment | None = Field(default=None, description="what stood then; now by default")
    reason: str | None = Field(
        default=None,
        min_length=1,
        max_length=1_000,
        description="needed where the figures differ from those that were filed",
    )


class SignatureIn(BaseModel):
    """A detached JWS (RFC 7515, appendix F) over the bytes of the report."""

    model_config = ConfigDict(extra="forbid")

    protected: str = Field(
        max_length=2_000,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="header as base64url: alg, kid, typ",
        examples=["eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoia1ByS19xbXgifQ"],
    )
    signature: str = Field(
        max_length=200, pattern=r"^[A-Za-z0-9_-]+$", description="base64url", examples=["hgyY0il8"]
    )


class SignatureOut(Out):
    """A detached JWS (RFC 7515, appendix F) over the bytes of the report."""

    protected: str = Field(
        description="header as base64url: alg, jwk, kid, typ",
        examples=["eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoia1ByS19xbXgifQ"],
    )
    signature: str = Field(examples=["hgyY0il8"])


class ObservationOut(Out):
    """A figure and what it is of."""

    REF_AREA: str = Field(examples=["KZ-61"])
    FARM: str = Field(description=_TOTAL, examples=["_T"])
    TIME_PERIOD: str = Field(description="season, or month of it", examples=["2025-06"])
    INDICATOR: str = Field(examples=["WATER_APPLIED"])
    FIELD: str = Field(description=_TOTAL)
    CROP: str = Field(description=_TOTAL)
    IRRIGATION_TECHNOLOGY: str = Field(description=_TOTAL)
    WATER_SAVING: str = Field(description=_TOTAL)
    WATER_SOURCE: str = Field(description=_TOTAL)
    MEASUREMENT: str = Field(description=_TOTAL)
    TARIFF_BAND: str = Field(description=_TOTAL)
    SAVINGS_OPTION: str = Field(description=_TOTAL)
    COVERAGE: str = Field(description="covered, or why not; _T: not divided by this")
    PURPOSE: str = Field(description=_TOTAL)
    OBS_VALUE: float | None = Field(description="null: see OBS_STATUS")
    UNIT_MEASURE: str = Field(examples=["m3"])
    OBS_STATUS: Literal["A", "M", "Q"] = Field(
        description="A: there; M: not known; Q: left empty, so that it tells of no single farm"
    )
    CI95_LOW: float | None
    CI95_HIGH: float | None
    DEMONSTRATED: bool | None = Field(description="of a saving: beyond two standard errors")
    FARMS: int | None = Field(description="how many the figure is of")
    COMMENT: str | None


class ChangedFigure(Out):
    """A figure that is another now; null where there was or is none."""

    key: dict[str, str] = Field(description="what it is of: dimensions that are divided")
    old: dict[str, Any] | None
    new: dict[str, Any] | None


class ReplacedResults(Out):
    """Results that figures rest on, by id."""

    gone: list[int]
    come: list[int]


class ReportDifference(Out):
    """What a revision says otherwise than the one before it."""

    observations: list[ChangedFigure]
    members: list[str] = Field(description="other members of the content that differ")
    season_results: ReplacedResults


class ReplacedRevision(Out):
    """The revision that another one replaces."""

    revision: int = Field(examples=[0])
    digest: str = Field(description="SHA-256 of its report, in hex")
    difference: ReportDifference


class TreeHead(Out):
    """The tree of evidence at a seal, as it was signed."""

    format: Literal["dala-tree-head/1"]
    seal: int = Field(examples=[17])
    size: int = Field(description="entries of the tree", examples=[3_420])
    root: str = Field(
        description="of the Merkle tree (RFC 9162), SHA-256 in hex",
        examples=["5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"],
    )
    sealed_at: dt.datetime


class SignedTreeHead(Out):
    """A head's file, byte for byte: canonical JSON (RFC 8785)."""

    head: TreeHead
    signatures: list[SignatureOut] = Field(description="ours first, then those of witnesses")


class ReportEvidence(Out):
    """Sealed rows that figures rest on: entries of the tree, and that they stand in it."""

    head: SignedTreeHead
    start: dt.datetime = Field(description="entries of the subject's farms with rows from then on")
    end: dt.datetime
    entries: list[list[int | str]] = Field(
        description="whole subtrees: first entry, how many, hash in hex"
    )
    proof: list[str] = Field(description="hashes that lead from the entries to the root")


class ReportManifest(Out):
    """A report as it was signed."""

    format: Literal["dala-report/2", "dala-report/1"]
    number: str = Field(examples=["water-2026-0001"])
    revision: int = Field(examples=[0])
    kind: Kind
    title: dict[str, str]
    subject: dict[str, Any]
    season: int
    period: dict[str, dt.date] | None
    as_of: dt.datetime
    filed_at: dt.datetime
    filed_by: str
    reason: str | None
    code: dict[str, str] = Field(description="version of the program and digest of its sources")
    replaces: ReplacedRevision | None
    content: dict[str, Any] = Field(
        description="coverage, remarks, methods, inputs, observations; of these `format=csv` has "
        "every column"
    )
    evidence: ReportEvidence | None = Field(
        default=None, description="null: nothing was sealed; not there in dala-report/1"
    )


class ReportFile(Out):
    """A report's file, byte for byte what `dala verify` reads: canonical JSON (RFC 8785)."""

    report: ReportManifest
    signatures: list[SignatureOut] = Field(description="ours first, then those of others")


class ReportKeyOut(Out):
    """A public key (RFC 8037) that reports are signed with, or countersigned."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str = Field(examples=["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"])
    kid: str = Field(
        description="thumbprint (RFC 7638)",
        examples=["kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"],
    )
    alg: Literal["Ed25519"]
    use: Literal["sig"]
    dala_role: Literal["files", "countersigns"]
    dala_owner: str


class ReportKeySet(Out):
    """Public keys (RFC 7517): all that there ever were, so that old reports prove themselves."""

    keys: list[ReportKeyOut]
