"""Which cells of published tables stay empty, so that no figure tells of fewer than three farms.

A cell is a sum over pieces, each of one farm: a crop zone, its water in a month. Cells whose pieces
belong to one or two farms are left empty, and as many others as it takes that no sum or difference
of published cells tells of one or two farms either (complementary suppression). Cells of the same
pieces are one: what is empty in one table is empty in all.

With P the published cells by the pieces, somebody who knows all of them knows every combination v
in the row space of P. They learn something of the farms F if such a v is of the pieces of F alone.
With R the orthogonal projection on the row space, that is so exactly if the part of R that belongs
to the pieces of F has the eigenvalue one. The combination is then taken apart: the smallest of the
cells that it is made of is left empty too, and everything is looked at again.

References
----------
.. [1] A. Hundepool et al., "Statistical Disclosure Control", Wiley, 2012, 4.3 (secondary cell
   suppression, and audit of its protection).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

LEAST_FARMS = 3
TOLERANCE = 1e-8
# Of the largest weight in a combination: cells below it are there by dependence alone.
MATTERS = 0.2
DIGITS = 6  # of weights: rounding of the machine must not decide which cells stay empty

Array = NDArray[np.float64]
Key = TypeVar("Key", bound=Hashable)  # of a cell


class Part(NamedTuple):
    """A sum of one kind of pieces that a cell tells: of hectares, of cubic metres …"""

    universe: str
    bits: int  # a bit for each piece


class Universe:
    """Pieces of one kind, each of a farm."""

    def __init__(self) -> None:
        self.owners: list[int] = []
        self._of_farm: dict[int, int] = defaultdict(int)
        self._places: dict[Hashable, int] = {}

    def bit(self, piece: Hashable, farm: int) -> int:
        """The bit of a piece."""
        if piece not in self._places:
            self._places[piece] = len(self.owners)
            self.owners.append(farm)
            self._of_farm[farm] |= 1 << self._places[piece]
        return 1 << self._places[piece]

    def has_few_farms(self, bits: int) -> bool:
        """Whether pieces belong to one or two farms."""
        farms = 0
        while bits and farms < LEAST_FARMS:
            bits &= ~self._of_farm[self.owners[(bits & -bits).bit_length() - 1]]
            farms += 1
        return 0 < farms < LEAST_FARMS


@dataclass
class Tables(Generic[Key]):
    """Cells by key: what each tells sums of."""

    universes: dict[str, Universe] = field(default_factory=lambda: defaultdict(Universe))
    cells: dict[Key, Sequence[Part]] = field(default_factory=dict)


def suppressed(tables: Tables[Key]) -> set[Key]:
    """Keys of the cells that stay empty."""
    keys_of: dict[Part, list[Key]] = defaultdict(list)
    for key, parts in tables.cells.items():
        for part in parts:
            if part.bits:
                keys_of[part].append(key)
    empty: set[Key] = set()
    for part, keys in keys_of.items():
        if tables.universes[part.universe].has_few_farms(part.bits):
            empty.update(keys)
    pending = dict.fromkeys(sorted({part.universe for part in keys_of}))
    while pending:
        name = next(iter(pending))
        published = sorted(
            part.bits
            for part, keys in keys_of.items()
            if part.universe == name and any(key not in empty for key in keys)
        )
        chosen = _to_leave_out(published, tables.universes[name].owners)
        if not chosen:
            del pending[name]
        for bits in chosen:
            gone = keys_of[Part(name, bits)]
            empty.update(gone)
            beside = {part.universe for key in gone for part in tables.cells[key]}
            pending.update(dict.fromkeys(sorted(beside)))
    return empty


def _to_leave_out(published: Sequence[int], owners: Sequence[int]) -> list[int]:
    """Of published sums, some without which less is told of one or two farms; none: nothing is."""
    if not published:
        return []
    matrix, farms = _by_piece(published, owners)
    left, sizes, right = np.linalg.svd(matrix, full_matrices=False)
    rank = int((sizes > TOLERANCE * sizes.max()).sum())
    chosen: list[int] = []
    for combinations in _told(right[:rank].T, farms):
        parts = left[:, :rank] @ ((right[:rank] @ combinations) / sizes[:rank, None])
        weights = np.linalg.norm(parts, axis=1)  # whatever the basis of the combinations
        share = np.round(weights / weights.max(), DIGITS)
        used = [int(row) for row in np.flatnonzero(share > MATTERS)]
        if not any(row in used for row in chosen):
            chosen.append(min(used, key=lambda row: (published[row].bit_count(), row)))
    return [published[row] for row in chosen]


def _by_piece(published: Sequence[int], owners: Sequence[int]) -> tuple[Array, NDArray[np.int64]]:
    """Sums by pieces, shape (sums, pieces), and each piece's farm.

    Pieces of a farm that stand in the same sums are one: nobody can tell them apart.
    """
    length = (len(owners) + 7) // 8
    packed = np.frombuffer(
        b"".join(bits.to_bytes(length, "little") for bits in published), np.uint8
    )
    bits = np.unpackbits(packed.reshape(len(published), length), axis=1, bitorder="little")
    columns = np.vstack([np.array(owners, np.int64), bits[:, : len(owners)]])
    columns = np.unique(columns, axis=1)
    columns = columns[:, columns[1:].any(axis=0)]
    return columns[1:].astype(float), columns[0]


def _told(basis: Array, farms: NDArray[np.int64]) -> Iterator[Array]:
    """Combinations of published sums that are of one farm alone, then of two.

    Of each farm or two all of them, as orthonormal columns of shape (pieces, combinations).
    ``farms`` ascends, so that the pieces of a farm stand together.
    """
    projection = basis @ basis.T
    begins = np.flatnonzero(np.diff(farms, prepend=-1))
    ends = np.append(begins[1:], len(farms))
    largest = np.array(
        [np.linalg.eigvalsh(projection[a:b, a:b])[-1] for a, b in zip(begins, ends, strict=True)]
    )
    shared = np.add.reduceat(np.add.reduceat(projection**2, begins, axis=0), begins, axis=1)
    # What two have together beyond the larger of each is at most what stands between them.
    bound = np.maximum(largest[:, None], largest[None, :]) + np.sqrt(shared)
    told = largest > 1.0 - TOLERANCE
    alone = [(one,) for one in np.flatnonzero(told)]
    near = np.triu((bound > 1.0 - TOLERANCE) & ~told[:, None] & ~told[None, :], 1)
    for few in (*alone, *zip(*np.nonzero(near), strict=True)):
        theirs = np.concatenate([np.arange(begins[one], ends[one]) for one in few])
        values, vectors = np.linalg.eigh(projection[np.ix_(theirs, theirs)])
        if values[-1] > 1.0 - TOLERANCE:
            found = np.zeros((len(farms), int((values > 1.0 - TOLERANCE).sum())))
            found[theirs] = vectors[:, values > 1.0 - TOLERANCE]
            yield found
