"""What was stored, hashed as it was: batches that wait, entries of the tree, signed heads.

All but the batches that wait are only ever added to; triggers hold them to that.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from storage.tables.columns import by_others, metadata, moment

# Of each batch of readings and of track points. Not the identity of a table: writers take some
# numbers ahead, so there are gaps, and a number is never given twice.
batch_ids = sa.Sequence("batch_ids", metadata=metadata)

pending_batches = sa.Table(
    "pending_batches",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False, comment="of batch_ids"),
    sa.Column("kind", sa.Text, nullable=False),
    moment("stored_at", now=True),
    sa.Column("farm_ids", ARRAY(sa.BigInteger), nullable=False, comment="0: of no farm"),
    sa.Column("row_counts", ARRAY(sa.Integer), nullable=False),
    sa.Column("digests", sa.LargeBinary, nullable=False, comment="SHA-256 of each, end to end"),
    sa.Column("first_at", ARRAY(sa.DateTime(timezone=True)), nullable=False),
    sa.Column(
        "last_at",
        ARRAY(sa.DateTime(timezone=True)),
        nullable=False,
        comment="between which times its rows are",
    ),
    sa.CheckConstraint("kind IN ('readings', 'track_points')", name="kind"),
    sa.CheckConstraint(
        "cardinality(farm_ids) > 0 AND cardinality(row_counts) = cardinality(farm_ids)"
        " AND cardinality(first_at) = cardinality(farm_ids)"
        " AND cardinality(last_at) = cardinality(farm_ids)"
        " AND octet_length(digests) = 32 * cardinality(farm_ids)",
        name="lengths",
    ),
    comment="a queue: batches that no entry of the tree holds yet, added with their rows",
)

tree_heads = sa.Table(
    "tree_heads",
    metadata,
    sa.Column("seal", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("size", sa.BigInteger, nullable=False, unique=True, comment="leaves of the tree"),
    sa.Column("root", sa.LargeBinary, nullable=False),
    moment("sealed_at"),
    sa.Column("manifest", sa.Text, nullable=False, comment="canonical JSON (RFC 8785), as signed"),
    sa.Column("protected", sa.Text, nullable=False, comment="header of the JWS, base64url"),
    sa.Column("signature", sa.Text, nullable=False, comment="base64url"),
    sa.Column("kid", sa.ForeignKey("report_keys.kid"), nullable=False),
    sa.CheckConstraint("size > 0 AND octet_length(root) = 32", name="root"),
    comment="the tree as it was sealed and signed; each begins with the one before",
)

evidence_entries = sa.Table(
    "evidence_entries",
    metadata,
    sa.Column(
        "position", sa.BigInteger, primary_key=True, autoincrement=False, comment="in the tree"
    ),
    sa.Column("seal", sa.ForeignKey("tree_heads.seal"), nullable=False, index=True),
    sa.Column("farm_id", sa.ForeignKey("farms.id"), index=True, comment="none: of no farm"),
    sa.Column("batches", sa.LargeBinary, nullable=False, comment="packed: evidence.entries"),
    moment("first_at"),
    moment("last_at"),
    sa.Column("leaf", sa.LargeBinary, nullable=False, comment="hash that stands in the tree"),
    sa.CheckConstraint("position >= 0 AND octet_length(leaf) = 32", name="leaf"),
    comment="batches of a farm that were sealed together: a leaf of the tree",
)

evidence_tiles = sa.Table(
    "evidence_tiles",
    metadata,
    sa.Column("floor", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False, comment="up to 256, end to end"),
    sa.CheckConstraint(
        "octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0",
        name="hashes",
    ),
    comment="hashes of the tree (evidence.tiles); one at the edge grows",
)

head_countersignatures = sa.Table(
    "head_countersignatures",
    metadata,
    *by_others("seal", "tree_heads.seal"),
    comment="of witnesses, over the very bytes of a head that were signed",
)
