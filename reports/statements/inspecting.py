"""Whether the database still holds what was sealed: looked at from inside, row by row.

The tree is formed anew from its entries, up to every signed head; then the digest of each batch
from the rows that carry its number. What does not fit was changed behind this service's back. All
is read in one snapshot, some thousands of rows at a time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping

import sqlalchemy as sa

from evidence import heads, merkle, tiles
from evidence.merkle import ProofError
from evidence.tiles import Place
from reports.statements.heads import SignedHead
from reports.statements.inspecting_rows import Inspected, inspect_farm
from reports.statements.signing import (
    HEAD_TYPE,
    BadSignature,
    Signature,
    header_of,
    public_key,
    verify,
)
from storage import evidence, filing, retention, tree_heads
from storage.tree_heads import StoredHead

Progress = Callable[[int], None]  # told how many entries were looked at


def inspect(
    connection: sa.Connection,
    *,
    farm_id: int | None = None,
    kept: SignedHead | None = None,
    on_progress: Progress = lambda _entries: None,
) -> Inspected:
    """Look at the tree, and at the rows of a farm, by default of all.

    Parameters
    ----------
    connection
        In one snapshot (REPEATABLE READ): else what is stored meanwhile is told as added.
    kept : SignedHead, optional
        A head that somebody kept elsewhere: whoever has the key can sign other heads here.
    """
    found = Inspected()
    began = _tree(connection, found, kept)
    if began is None:
        return found
    since = retention.complete_since(connection)
    for one, _ in evidence.farms(connection):
        if farm_id is None or one == farm_id:
            inspect_farm(connection, one, found, began=began, since=since, on_progress=on_progress)
    return found


def total(connection: sa.Connection, farm_id: int | None) -> int:
    """How many entries there are to look at."""
    known = evidence.farms(connection)
    return sum(count for one, count in known if farm_id is None or one == farm_id)


# --- the tree -------------------------------------------------------------------------------------


def _tree(
    connection: sa.Connection, found: Inspected, kept: SignedHead | None
) -> dt.datetime | None:
    """Form the tree anew, seal by seal, and hold every head and tile to it; when the first was."""
    keys = {one.kid: one.jwk for one in filing.keys(connection) if one.role == "files"}
    stored = evidence.tiles(connection)
    edge: dict[Place, bytes] = {}
    size, began = 0, None
    for head in _heads(connection):
        began = began or head.sealed_at
        added = evidence.leaves_of_seal(connection, head.seal)
        if [place for place, _ in added] != list(range(size, size + len(added))) or not added:
            found.tell(f"Entries of seal {head.seal} are missing, or were added.")
        grown = tiles.grown(size, edge.__getitem__, [leaf for _, leaf in added])
        size += len(added)
        edge |= grown
        root = merkle.root(tiles.nodes_of(edge.__getitem__), size)
        for words in _head_faults(head, size, root, keys):
            found.tell(f"The head of seal {head.seal} {words}.")
        if kept is not None and kept.head.size == size:
            if kept.head.root != root:
                words = f"The head of {size} entries that was kept is of another tree than this."
                found.tell(words)
            kept = None
        for place, hashes in grown.items():
            if not _tile(stored, place).startswith(hashes):
                found.tell(f"Tile {place.number} of floor {place.floor} of the tree was changed.")
        edge = _unfinished(edge)
        found.heads += 1
    if kept is not None and kept.head.size > size:
        found.tell(f"A head of {kept.head.size} entries was kept; the tree has {size} alone.")
    elif kept is not None:
        found.tell(f"A head of {kept.head.size} entries was kept, and none of so many is here.")
    return began


def _heads(connection: sa.Connection) -> Iterator[StoredHead]:
    after = 0
    while page := tree_heads.heads(connection, after=after):
        yield from page
        after = page[-1].size


def _tile(stored: tiles.Tiles, place: Place) -> bytes:
    try:
        return stored(place)
    except LookupError:
        return b""


def _unfinished(held: Mapping[Place, bytes]) -> dict[Place, bytes]:
    """The last tile of each floor: the tree grows, and its roots are formed, by these alone."""
    last: dict[int, Place] = {}
    for place in held:
        last[place.floor] = max(place, last.get(place.floor, place))
    return {place: held[place] for place in last.values()}


def _head_faults(
    head: StoredHead, size: int, root: bytes, keys: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    try:
        said = heads.of_payload(head.manifest)
    except ProofError as error:
        yield f"cannot be read: {error}"
        return
    if said != heads.of_tree(head.seal, head.size, head.root, head.sealed_at):
        yield "says otherwise than the table beside it"
    if (said.size, said.root) != (size, root):
        yield "is not that of the entries that are there: one or more were changed"
    signature = Signature(head.protected, head.signature)
    try:
        key = keys.get(header_of(signature)["kid"])
        if key is None:
            raise BadSignature("it is by a key that files nothing here")
        verify(signature, head.manifest.encode(), public_key(key), typ=HEAD_TYPE)
    except (BadSignature, ValueError) as error:
        yield f"has a signature that does not hold: {error}"
