"""Every type of problem that the API answers with; ``docs/api.md`` tells them as they stand here.

A type is for programs: once told it keeps its name and its meaning. ``urn:dala:problem:`` stands
before it, for an address would lead to one server of many.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

URN = "urn:dala:problem:"


class ProblemType(NamedTuple):
    """With which statuses a type comes, and what whoever gets it can do."""

    statuses: tuple[int, ...]
    about: str


TYPES: Mapping[str, ProblemType] = {
    "bad-request": ProblemType((400,), "The body cannot be read: send what the document says."),
    "who-are-you": ProblemType((401,), "No credential, or one that is no good (any longer)."),
    "sign-in-failed": ProblemType((401,), "Login, password or provider lets nobody in."),
    "link-spent": ProblemType((401,), "The one-time token was used or is too old; get a new one."),
    "not-allowed": ProblemType((403,), "This credential may not do that."),
    "scope-missing": ProblemType((403,), "The credential lacks the scope (`x-scope`), or farms."),
    "people-only": ProblemType((403,), "For a person who signed in, not for a program."),
    "csrf": ProblemType((403,), "`X-CSRF-Token` is missing or wrong, or another site asks."),
    "wrong-password": ProblemType((403,), "The present password, asked for again, is wrong."),
    "not-found": ProblemType((404,), "It is not there, or not yours."),
    "page-not-built": ProblemType((404,), "The page for people is not installed; see `detail`."),
    "method-not-allowed": ProblemType((405,), "The path is right and the method is not."),
    "not-acceptable": ProblemType(
        (406,), "No form that you accept; `detail` says which there are."
    ),
    "too-slow": ProblemType((408, 503), "The body came, or the answer would come, too slowly."),
    "conflict": ProblemType(
        (409,), "There is one like it, or something it refers to is not there."
    ),
    "advice-changed": ProblemType((409,), "The advice is another by now: read it, then decide."),
    "reason-missing": ProblemType(
        (409,), "The figures are others than those that were filed: say why."
    ),
    "in-use": ProblemType((409,), "Others that stand depend on it: withdraw those first."),
    "still-at-work": ProblemType((409,), "The first with this `Idempotency-Key` is not done yet."),
    "account-disabled": ProblemType((409,), "Enable the account first."),
    "last-administrator": ProblemType((409,), "Somebody must remain who administers."),
    "already-registered": ProblemType(
        (409,), "The device is known; to lose nothing, rotate its token."
    ),
    "changed-meanwhile": ProblemType((412,), "`If-Match` names an older state: read it again."),
    "too-large": ProblemType((413,), "The body is larger than the server takes: send it in parts."),
    "invalid-parameter": ProblemType((422,), "`errors` says what is wrong, and where."),
    "the-request-cannot-be-answered": ProblemType(
        (422,), "Well formed, and `detail` says why not."
    ),
    "cursor": ProblemType((422,), "The cursor is none of this list's: begin without one."),
    "key-taken": ProblemType((422,), "The `Idempotency-Key` was sent with another request."),
    "lines-refused": ProblemType((422,), "`problems` says which lines of the file are wrong."),
    "boundaries-refused": ProblemType((422,), "`problems` says which places are wrong."),
    "weak-password": ProblemType((422,), "The password would be guessed; take another."),
    "too-many-requests": ProblemType(
        (429,), "Wait for `Retry-After`; `RateLimit` says what is left."
    ),
    "locked-out": ProblemType((429,), "Too many wrong passwords; none is looked at meanwhile."),
    "too-many-streams": ProblemType(
        (429, 503), "The credential, or the server, has all its streams of events open."
    ),
    "our-fault": ProblemType((500,), "It was logged; tell the operator the `request_id`."),
    "not-ready-to-answer": ProblemType((503,), "The database or a provider is away; try again."),
}
