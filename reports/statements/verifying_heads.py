"""What a report's evidence proves, offline: entries under a head, and one head under another.

A head is the tree at a seal. Two heads are of one tree where the larger is proved to begin with the
smaller: nothing that was sealed by then was changed, taken away or put in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from evidence.merkle import ProofError, check_consistency
from evidence.multiproof import check_parts
from reports.statements import heads
from reports.statements.findings import Finding, Pinned, are_twice, signed_by
from reports.statements.heads import Consistency, Evidence, SignedHead
from reports.statements.manifest import BadFile
from reports.statements.signing import HEAD_TYPE, Signature, SigningKey

WITHOUT = (
    "That readings below the figures are unchanged since they were stored: this report rests on no "
    "head of the tree of evidence.",
)
SEALED = (
    "That the sealed rows are those that the figures were computed of, and that none is left out: "
    "the entries are hashes here. The evidence bundle has the rows.",
    "Rows from before evidence began, rows between storing and sealing, and what people entered: "
    "none of that is in the tree.",
)
UNSEEN = (
    "That others are shown the same tree: compare its head with one that you kept, or that a "
    "witness countersigned (--head).",
)


def of_report(evidence: Evidence, keys: Mapping[str, Pinned] | None) -> Iterator[Finding]:
    """The head's signature, and that the entries stand in its tree."""
    head = evidence.head.head
    yield from _signed(evidence.head, keys, "The head of the tree of evidence is signed")
    try:
        check_parts(evidence.entries, head.size, evidence.proof, head.root)
    except ProofError as error:
        yield Finding("refuted", f"Its entries do not stand in the tree of evidence: {error}.")
        return
    if evidence.entries:
        yield Finding(
            "proved",
            f"{_entries(evidence.leaves)} of sealed rows of {evidence.start} to {evidence.end} "
            f"{'stands' if evidence.leaves == 1 else 'stand'} in the tree of "
            f"{_told(evidence.head)}.",
        )
    else:
        yield Finding(
            "proved",
            f"It rests on no sealed row of {evidence.start} to {evidence.end}, as it says, in the "
            f"tree of {_told(evidence.head)}.",
        )


def against_file(
    ours: SignedHead,
    file: bytes,
    proofs: Sequence[bytes],
    keys: Mapping[str, Pinned] | None,
) -> Iterator[Finding]:
    """The head that an auditor kept, of an earlier or of a later time, against a report's."""
    try:
        kept = heads.head_of_file(file)
    except BadFile as error:
        yield Finding("refuted", f"What was kept is no head of a tree: {error}.")
        return
    signed = list(_signed(kept, keys, "The head that was kept is signed"))
    yield from signed
    if all(one.standing != "refuted" for one in signed):
        yield from against(ours, kept, proofs, must=True)


def witnessed(
    file: bytes,
    key: SigningKey,
    keys: Mapping[str, Pinned],
    kept: bytes | None,
    proofs: Sequence[bytes],
) -> tuple[Signature | None, list[Finding]]:
    """The signature of a witness over a head, and what was found: none unless all is proved.

    ``kept`` is the head that the witness signed last; none: the first.

    Raises
    ------
    BadFile
        If the file is no head.
    """
    head = heads.head_of_file(file)
    found = list(_signed(head, keys, "The head is signed"))
    if kept is not None:
        found += against_file(head, kept, proofs, keys)
        last = heads.head_of_file(kept).head.size
        if last > head.head.size:
            words = f"The head is of {head.head.size} entries, and you signed one of {last}."
            found.append(Finding("refuted", words))
    if any(one.standing != "proved" for one in found):
        return None, found
    return key.sign(head.head.payload(), HEAD_TYPE), found


def against(
    ours: SignedHead, kept: SignedHead, proofs: Sequence[bytes], *, must: bool
) -> Iterator[Finding]:
    """Whether two heads are of one tree; without a proof nothing is said, unless it ``must`` be."""
    early, late = sorted((ours.head, kept.head), key=lambda one: one.size)
    if early.size == late.size:
        if early == late:
            yield Finding("proved", "The head that was kept is of the very same tree.")
        elif early.root == late.root:
            words = f"Two heads of one tree of {early.size} entries say different seals or times."
            yield Finding("refuted", words)
        else:
            yield Finding(
                "refuted", f"Two trees of {early.size} entries are shown: sealed rows were changed."
            )
        return
    try:
        found = [heads.consistency_of_file(one) for one in proofs]
    except BadFile as error:
        yield Finding("refuted", f"What is given as proof of consistency is none: {error}.")
        return
    asked = [one for one in found if (one.first, one.second) == (early.size, late.size)]
    if asked:
        yield _consistent(asked[0], early.root, late.root)
    elif must:
        yield Finding(
            "open",
            f"Whether the tree of {late.size} entries begins with that of {early.size} was not "
            f"proved: ask for the proof (dala evidence consistency {early.size} {late.size}) and "
            "give it with --consistency.",
        )


def _consistent(proof: Consistency, early: bytes, late: bytes) -> Finding:
    try:
        check_consistency(proof.first, early, proof.second, late, proof.proof)
    except ProofError as error:
        return Finding(
            "refuted",
            f"The tree of {proof.second} entries does not begin with that of {proof.first}, so "
            f"sealed rows were changed, or the proof is another's: {error}.",
        )
    return Finding(
        "proved",
        f"The tree of {proof.second} entries begins with that of {proof.first}: nothing that was "
        "sealed by then was changed, added or taken away.",
    )


def _signed(head: SignedHead, keys: Mapping[str, Pinned] | None, words: str) -> Iterator[Finding]:
    ours, *witnesses = head.signatures
    payload = head.head.payload()
    yield signed_by(ours, payload, keys, "files", words, typ=HEAD_TYPE)
    for one in witnesses:
        by = f"{words.removesuffix(' is signed')} is countersigned"
        yield signed_by(one, payload, keys, "countersigns", by, typ=HEAD_TYPE)
    if are_twice(head.signatures):
        yield Finding("refuted", f"{words.removesuffix(' is signed')}: the same key signed twice.")


def _told(head: SignedHead) -> str:
    said = head.head
    return f"{_entries(said.size)} that was sealed at {said.sealed_at} (seal {said.seal})"


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"
