"""Filing: a statement is numbered, signed and kept; what changed later makes a revision of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

import sqlalchemy as sa

from reports import program
from reports.statements import keys, manifest, proving, statement, verifying
from reports.statements.figures import moment
from reports.statements.kinds import KINDS
from reports.statements.signing import Signature, SigningKey, public_key
from reports.statements.statement import Asked, CannotBeFiled, Statement
from storage import filing
from storage.countersignatures import REVISIONS
from storage.filing import Filed, Revision

SOURCES = ("analytics", "reports", "storage")
# Of what was read when this process began: files may be others by the time that it files.
CODE = {"version": version("dala"), "digest": program.digest(SOURCES)}


class ReasonMissing(ValueError):
    """The figures are others than those filed, and nobody says why."""


class Filing(NamedTuple):
    """What came of filing."""

    report: Filed
    revision: Revision
    is_news: bool  # false: the very same was filed before


def file(
    connection: sa.Connection,
    asked: Asked,
    key: SigningKey,
    *,
    author: str,
    as_of: dt.datetime | None = None,
    reason: str | Callable[[Mapping[str, Any]], str] | None = None,
) -> Filing:
    """File a statement, or a revision of the one that was filed.

    Parameters
    ----------
    as_of : datetime, optional
        The results that stood then; now by default.
    reason : str or callable, optional
        Why figures differ from those that were filed; or what says so of the difference.

    Raises
    ------
    storage.database.NotFound
        If there is no such farm or area.
    ReasonMissing
        If what was filed says something else and no reason is given.
    reports.statements.signing.KeyUnknown
        If the key has not been made known.
    CannotBeFiled
        If what is asked for is no statement, or of a time to come, or from before what was filed;
        or if its file would not prove itself.
    """
    keys.check_files(connection, key)
    now = filing.begin(connection)
    as_of = as_of or now
    if as_of > now:
        raise CannotBeFiled(f"as_of {moment(as_of)} is still to come")
    made = statement.of(connection, asked, as_of=as_of)
    subject = filing.subject_of(made.farm_id, asked.area)
    known = filing.find(
        connection, kind=asked.kind, subject=subject, season=asked.season, period=asked.period
    )
    if known is None:
        opened = _open(connection, made, subject, now)
        return _sign(connection, opened, made, key, now, author)
    newest = filing.revision(connection, known)
    if newest.content_digest == made.digest:
        return Filing(known, newest, is_news=False)
    if as_of < newest.as_of:
        raise CannotBeFiled(
            f"report {known.number} has a revision as of {moment(newest.as_of)}: what stood before "
            "does not replace it"
        )
    if callable(reason):
        reason = reason(_replaced(newest, made)["difference"])
    if reason is None or not reason.strip():
        raise ReasonMissing(
            f"report {known.number} was filed with other figures: say why they changed"
        )
    return _sign(connection, known, made, key, now, author, newest, reason.strip())


def _open(connection: sa.Connection, made: Statement, subject: str, now: dt.datetime) -> Filed:
    asked = made.asked
    start, end = asked.period or (None, None)
    return filing.add(
        connection,
        kind=asked.kind,
        year=now.astimezone(dt.UTC).year,
        subject=subject,
        farm_id=made.farm_id,
        area_code=asked.area,
        season=asked.season,
        period_start=start,
        period_end=end,
    )


def _sign(
    connection: sa.Connection,
    report: Filed,
    made: Statement,
    key: SigningKey,
    now: dt.datetime,
    author: str,
    before: Revision | None = None,
    reason: str | None = None,
) -> Filing:
    said = {
        **_said(report, made, before),
        "filed_at": moment(now),
        "filed_by": author,
        "reason": reason,
        # Beside the content: what was sealed since makes no revision of the same figures.
        "evidence": _evidence(connection, made, key, author),
    }
    payload = manifest.canonical(said)
    signature = key.sign(payload)
    _prove(manifest.write(payload, [signature]), key)
    revision = filing.add_revision(
        connection,
        report_id=report.id,
        revision=said["revision"],
        manifest=payload.decode(),
        **signature._asdict(),
        kid=key.kid,
        content_digest=made.digest,
        as_of=made.as_of,
        filed_at=now,
        filed_by=author,
        reason=reason,
    )
    return Filing(report, revision, is_news=True)


def _said(report: Filed, made: Statement, before: Revision | None) -> dict[str, Any]:
    """What a manifest says of a statement, and of what it replaces."""
    asked = made.asked
    return {
        "format": manifest.FORMAT,
        "number": report.number,
        "revision": 0 if before is None else before.revision + 1,
        "kind": asked.kind,
        "title": dict(KINDS[asked.kind].title),
        "subject": dict(made.subject),
        "season": asked.season,
        "period": _period(asked),
        "as_of": moment(made.as_of),
        "code": CODE,
        "replaces": None if before is None else _replaced(before, made),
        "content": dict(made.content),
    }


def _evidence(
    connection: sa.Connection, made: Statement, key: SigningKey, author: str
) -> dict[str, Any] | None:
    found = proving.of_ground(connection, made.ground, key, author=author)
    return None if found is None else found.as_json()


def _prove(file: bytes, key: SigningKey) -> None:
    """See that a file proves itself before it is filed: no later hour can mend one that does not.

    Raises
    ------
    CannotBeFiled
        If it does not, as where a figure is beyond what JSON can say exactly.
    """
    pinned = {key.kid: verifying.Pinned(public_key(key.public), "files", "")}
    found = verifying.check(file, keys=pinned).findings
    if faults := [one.words for one in found if one.standing != "proved"]:
        raise CannotBeFiled(f"the report would not prove itself: {' '.join(faults)}")


def _period(asked: Asked) -> dict[str, str] | None:
    if asked.period is None:
        return None
    start, end = asked.period
    return {"start": start.isoformat(), "end": end.isoformat()}


def _replaced(before: Revision, made: Statement) -> dict[str, Any]:
    old = json.loads(before.manifest)["content"]
    # As it will be read: numbers of JSON, not of Python.
    new = json.loads(manifest.canonical(made.content))
    return {
        "revision": before.revision,
        "digest": manifest.digest(before.manifest.encode()),
        "difference": manifest.difference(old, new),
    }


def envelope(connection: sa.Connection, revision: Revision) -> bytes:
    """A revision's file, with the signatures of others that have come so far."""
    ours = Signature(revision.protected, revision.signature)
    others = keys.countersigned(connection, REVISIONS, revision.id)
    return manifest.write(revision.manifest.encode(), [ours, *others])


def countersign(
    connection: sa.Connection, revision: Revision, signature: Signature, *, author: str
) -> None:
    """Keep somebody else's signature beside a revision; raises as :func:`keys.countersign` does."""
    payload = revision.manifest.encode()
    keys.countersign(connection, REVISIONS, revision.id, payload, signature, author=author)


def jwks(connection: sa.Connection) -> dict[str, list[Mapping[str, Any]]]:
    """All keys that reports were ever signed with, as RFC 7517 has them, each with its role."""
    return {
        "keys": [
            {
                **one.jwk,
                "kid": one.kid,
                "alg": "Ed25519",
                "use": "sig",
                "dala_role": one.role,
                "dala_owner": one.owner,
            }
            for one in filing.keys(connection)
        ]
    }
