"""The evidence of a report: entries of the tree for the readings that its figures rest on."""

from __future__ import annotations

import sqlalchemy as sa

from evidence.entries import moment
from evidence.multiproof import multi_proof, parts_of
from reports.statements import sealing
from reports.statements.ground import Ground
from reports.statements.heads import Evidence
from reports.statements.signing import SigningKey
from storage import evidence, tenancy, tree_heads


def of_ground(
    connection: sa.Connection, ground: Ground, key: SigningKey, *, author: str
) -> Evidence | None:
    """Seal what waits, and prove the entries that a report rests on under the newest head.

    None where nothing was ever sealed. To be asked once the figures are there: whatever they were
    computed of was committed before them, and is sealed by then.
    """
    with tenancy.for_the_country(connection):
        sealing.seal(connection, key, author=author)
        head = tree_heads.newest(connection)
        if head is None:
            return None
        nodes = evidence.nodes(connection)
        places = evidence.positions(connection, ground.farm_ids, start=ground.start, end=ground.end)
        parts = parts_of(nodes, places, head.size)
        return Evidence(
            sealing.own(head),
            moment(ground.start),
            moment(ground.end),
            parts,
            multi_proof(nodes, parts, head.size),
        )
