"""What was found of a file, in words; and keys that an auditor trusts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from joserfc.jwk import OKPKey

from reports.statements.signing import BadSignature, Signature, header_of, public_key, verify

Standing = Literal["proved", "refuted", "open"]


class Finding(NamedTuple):
    """One thing that was looked at."""

    standing: Standing
    words: str


class Verdict(NamedTuple):
    """All that was looked at, in order."""

    findings: tuple[Finding, ...]
    not_proved: tuple[str, ...]  # what nothing of it says

    @property
    def is_refuted(self) -> bool:
        """Something in the file is not as it was signed, or contradicts an earlier file."""
        return any(one.standing == "refuted" for one in self.findings)

    @property
    def is_open(self) -> bool:
        """Nothing contradicts, and whose the file is was not proved."""
        return not self.is_refuted and any(one.standing == "open" for one in self.findings)


class Pinned(NamedTuple):
    """A key that the auditor trusts, and for what."""

    key: OKPKey
    role: str
    owner: str


def pinned_keys(jwks: bytes) -> dict[str, Pinned]:
    """Keys by their thumbprint; ValueError where the set is none.

    A key whose kid is not its thumbprint is somebody's mistake or trick, and refused.
    """
    try:
        found = json.loads(jwks)["keys"]
        pinned = {}
        for one in found:
            key = public_key(one)
            if one.get("kid", key.thumbprint()) != key.thumbprint():
                raise ValueError(f"key {one['kid']}: its kid is not its thumbprint")
            role, owner = one.get("dala_role", "files"), one.get("dala_owner", "")
            pinned[key.thumbprint()] = Pinned(key, str(role), str(owner))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no set of keys (RFC 7517): {error!r}") from error
    return pinned


def signed_by(
    signature: Signature,
    payload: bytes,
    keys: Mapping[str, Pinned] | None,
    role: str,
    words: str,
    *,
    typ: str | None = None,
) -> Finding:
    """Whose signature it is, and that it is over these bytes."""
    try:
        header = header_of(signature)
        kid = header["kid"]
        known = (keys or {}).get(kid)
        if known is not None:
            verify(signature, payload, known.key, typ=typ)
        elif "jwk" in header:
            verify(signature, payload, public_key(header["jwk"]), typ=typ)
        elif keys is None:
            says = f"{words} by key {kid}, so it says: the key is not here to check it with."
            return Finding("open", says)
    except (BadSignature, ValueError) as error:
        return Finding("refuted", f"{words}, and the signature does not hold: {error}.")
    if keys is None:
        return Finding(
            "open",
            f"{words} and unchanged since, by whoever holds key {kid}. Whose key that is was not "
            "checked: give the keys that you trust.",
        )
    if known is None:
        return Finding("refuted", f"{words} by key {kid}, which is none of those you trust.")
    if known.role != role:
        return Finding("refuted", f"{words} by key {kid}, which you do not trust for that.")
    whose = f" ({known.owner})" if known.owner else ""
    return Finding("proved", f"{words} by key {kid}{whose}, and unchanged since.")


def are_twice(signatures: Sequence[Signature]) -> bool:
    """Whether a key signed twice: one witness is not to be counted as two."""
    kids = [_kid(one) for one in signatures]
    return len(set(kids)) < len(kids)


def _kid(signature: Signature) -> str:
    try:
        return str(header_of(signature)["kid"])
    except BadSignature:
        return ""
