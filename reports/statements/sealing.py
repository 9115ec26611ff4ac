"""Sealing: batches that wait become entries of the tree, and its head is signed.

One transaction does it all: what fails leaves the batches waiting, and the tree as it was.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa

from evidence import entries, heads, merkle, tiles
from evidence.heads import Head
from reports.statements import keys
from reports.statements.heads import Consistency, SignedHead
from reports.statements.signing import HEAD_TYPE, Signature, SigningKey
from storage import audit, evidence, tree_heads
from storage.countersignatures import HEADS
from storage.evidence import Gathered, NewEntry
from storage.tree_heads import StoredHead


class Sealed(NamedTuple):
    """What sealing added."""

    heads: int
    entries: int
    batches: int
    rows: int
    newest: Head


def seal(connection: sa.Connection, key: SigningKey, *, author: str) -> Sealed | None:
    """Seal all that waits; None where nothing does, for a head of nothing new says nothing.

    What is stored meanwhile may go on waiting. It is written down as a deed of ``author``.

    Raises
    ------
    reports.statements.signing.KeyUnknown
        If the key has not been made known.
    """
    keys.check_files(connection, key)
    at = evidence.begin(connection)
    made: list[Sealed] = []
    # Not "until nothing waits": while others go on storing, there would always be more.
    while (taken := evidence.take(connection)).by_farm:
        made.append(_seal(connection, key, at, taken.by_farm))
        if taken.is_all:
            break
    if not made:
        return None
    done = Sealed(
        sum(one.heads for one in made),
        sum(one.entries for one in made),
        sum(one.batches for one in made),
        sum(one.rows for one in made),
        made[-1].newest,
    )
    audit.record(
        connection,
        actor=author,
        action="evidence.seal",
        object=f"tree-head:{done.newest.size}",
        details={"seal": done.newest.seal, "batches": done.batches, "rows": done.rows},
    )
    return done


def _seal(
    connection: sa.Connection,
    key: SigningKey,
    at: dt.datetime,
    found: Mapping[int | None, Gathered],
) -> Sealed:
    before = tree_heads.newest(connection)
    number, begins = (1, 0) if before is None else (before.seal + 1, before.size)
    made, added = [], []
    for farm_id, slug in evidence.in_order(connection, list(found)):
        entry = entries.of_batches(number, at, slug, *found[farm_id])
        made.append(entry)
        added.append(NewEntry(farm_id, found[farm_id], entry.hash()))
    stored = evidence.tiles(connection)
    grown = tiles.grown(begins, stored, [one.leaf for one in added])
    size = begins + len(added)
    nodes = tiles.nodes_of(lambda place: grown[place] if place in grown else stored(place))
    head = heads.of_tree(number, size, merkle.root(nodes, size), at)
    payload = head.payload()
    signature = key.sign(payload, HEAD_TYPE)
    tree_heads.add(
        connection,
        seal=number,
        size=size,
        root=head.root,
        sealed_at=at,
        manifest=payload.decode(),
        **signature._asdict(),
        kid=key.kid,
    )
    evidence.add_entries(connection, number, begins, added, grown)
    batches, rows = sum(one.batches for one in made), sum(one.rows for one in made)
    return Sealed(1, len(added), batches, rows, head)


# --- heads as they are told, and witnesses --------------------------------------------------------


def own(stored: StoredHead) -> SignedHead:
    """A head with the signature of this service alone, as it was sealed."""
    signature = Signature(stored.protected, stored.signature)
    return SignedHead(heads.of_payload(stored.manifest), [signature])


def signed(connection: sa.Connection, stored: StoredHead) -> SignedHead:
    """A head with the signatures of others that have come so far."""
    ours = own(stored)
    others = keys.countersigned(connection, HEADS, stored.seal)
    return SignedHead(ours.head, [*ours.signatures, *others])


def consistency(connection: sa.Connection, first: int, second: int) -> Consistency:
    """What shows that the tree of one head begins with that of an earlier one.

    Raises
    ------
    storage.database.NotFound
        If there is no head of such a size.
    ValueError
        If the first is the larger one.
    """
    for size in (first, second):
        tree_heads.head(connection, size)
    if first > second:
        raise ValueError(f"a tree of {second} entries does not begin with one of {first}")
    if first == second:
        return Consistency(first, second, [])
    proof = merkle.consistency_proof(evidence.nodes(connection), first, second)
    return Consistency(first, second, proof)


def countersign(
    connection: sa.Connection, stored: StoredHead, signature: Signature, *, author: str
) -> None:
    """Keep the signature of a witness beside a head; raises as :func:`keys.countersign` does."""
    payload = stored.manifest.encode()
    keys.countersign(
        connection, HEADS, stored.seal, payload, signature, author=author, typ=HEAD_TYPE
    )
