"""Every batch of readings and track points, hashed as it is stored, and the tree of the hashes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0016"
down_revision = "0015"

_ADDED_TO_ALONE = ("tree_heads", "evidence_entries", "head_countersignatures")


def upgrade() -> None:
    """Add the tables, and to each reading and point the number of its batch."""
    op.execute("CREATE SEQUENCE batch_ids")
    number_rows()
    _pending_batches()
    _heads()
    _entries()
    _tiles()
    _countersignatures()
    for table in _ADDED_TO_ALONE:
        op.execute(f"""
            CREATE TRIGGER filed_is_filed BEFORE UPDATE OR DELETE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION filed_is_filed()""")
    _tiles_grow()
    _devices_stay()


def number_rows() -> None:
    """NULL, and no default: what lies in the columnstore stays there as it is."""
    comment = "none: stored before batches were"
    for table in ("readings", "track_points"):
        op.add_column(table, sa.Column("batch_id", sa.BigInteger(), comment=comment))


def _pending_batches() -> None:
    name = "pending_batches"
    op.create_table(
        name,
        sa.Column(
            "id", sa.BigInteger(), autoincrement=False, nullable=False, comment="of batch_ids"
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        _moment("stored_at", now=True),
        sa.Column("farm_ids", ARRAY(sa.BigInteger()), nullable=False, comment="0: of no farm"),
        sa.Column("row_counts", ARRAY(sa.Integer()), nullable=False),
        sa.Column(
            "digests", sa.LargeBinary(), nullable=False, comment="SHA-256 of each, end to end"
        ),
        sa.Column("first_at", ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.Column(
            "last_at",
            ARRAY(sa.DateTime(timezone=True)),
            nullable=False,
            comment="between which times its rows are",
        ),
        sa.PrimaryKeyConstraint("id", name=f"{name}_pkey"),
        sa.CheckConstraint("kind IN ('readings', 'track_points')", name=f"{name}_kind_check"),
        sa.CheckConstraint(
            "cardinality(farm_ids) > 0 AND cardinality(row_counts) = cardinality(farm_ids)"
            " AND cardinality(first_at) = cardinality(farm_ids)"
            " AND cardinality(last_at) = cardinality(farm_ids)"
            " AND octet_length(digests) = 32 * cardinality(farm_ids)",
            name=f"{name}_lengths_check",
        ),
        comment="a queue: batches that no entry of the tree holds yet, added with their rows",
    )


def _heads() -> None:
    name = "tree_heads"
    op.create_table(
        name,
        sa.Column("seal", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="leaves of the tree"),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        _moment("sealed_at"),
        sa.Column(
            "manifest", sa.Text(), nullable=False, comment="canonical JSON (RFC 8785), as signed"
        ),
        sa.Column("protected", sa.Text(), nullable=False, comment="header of the JWS, base64url"),
        sa.Column("signature", sa.Text(), nullable=False, comment="base64url"),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seal", name=f"{name}_pkey"),
        sa.UniqueConstraint("size", name=f"{name}_size_key"),
        sa.ForeignKeyConstraint(["kid"], ["report_keys.kid"], name=f"{name}_kid_fkey"),
        sa.CheckConstraint("size > 0 AND octet_length(root) = 32", name=f"{name}_root_check"),
        comment="the tree as it was sealed and signed; each begins with the one before",
    )


def _entries() -> None:
    name = "evidence_entries"
    op.create_table(
        name,
        sa.Column(
            "position", sa.BigInteger(), autoincrement=False, nullable=False, comment="in the tree"
        ),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.Column("farm_id", sa.BigInteger(), comment="none: of no farm"),
        sa.Column("batches", sa.LargeBinary(), nullable=False, comment="packed: evidence.entries"),
        _moment("first_at"),
        _moment("last_at"),
        sa.Column("leaf", sa.LargeBinary(), nullable=False, comment="hash that stands in the tree"),
        sa.PrimaryKeyConstraint("position", name=f"{name}_pkey"),
        sa.ForeignKeyConstraint(["seal"], ["tree_heads.seal"], name=f"{name}_seal_fkey"),
        sa.ForeignKeyConstraint(["farm_id"], ["farms.id"], name=f"{name}_farm_id_fkey"),
        sa.CheckConstraint("position >= 0 AND octet_length(leaf) = 32", name=f"{name}_leaf_check"),
        comment="batches of a farm that were sealed together: a leaf of the tree",
    )
    op.create_index(f"{name}_seal_idx", name, ["seal"])
    op.create_index(f"{name}_farm_id_idx", name, ["farm_id"])


def _tiles() -> None:
    name = "evidence_tiles"
    op.create_table(
        name,
        sa.Column("floor", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False, comment="up to 256, end to end"),
        sa.PrimaryKeyConstraint("floor", "number", name=f"{name}_pkey"),
        sa.CheckConstraint(
            "octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0",
            name=f"{name}_hashes_check",
        ),
        comment="hashes of the tree (evidence.tiles); one at the edge grows",
    )


def _tiles_grow() -> None:
    """A tile at the edge is written again with what is added; what it held stays in it."""
    op.execute("""
        CREATE TRIGGER filed_is_filed BEFORE DELETE ON evidence_tiles
        FOR EACH STATEMENT EXECUTE FUNCTION filed_is_filed()""")
    op.execute("""
        CREATE TRIGGER tiles_grow BEFORE UPDATE ON evidence_tiles
        FOR EACH ROW WHEN (
            OLD.floor <> NEW.floor OR OLD.number <> NEW.number
            OR substring(NEW.hashes FOR octet_length(OLD.hashes)) <> OLD.hashes)
        EXECUTE FUNCTION filed_is_filed()""")


def _devices_stay() -> None:
    """What a farm's device sent was hashed as that farm's: it would be missing there, and found."""
    op.execute("""
        CREATE FUNCTION device_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'device % stays with its farm: register another one', OLD.id
                  USING ERRCODE = 'integrity_constraint_violation';
        END $$""")
    op.execute("""
        CREATE TRIGGER device_stays BEFORE UPDATE OF farm_id ON devices
        FOR EACH ROW WHEN (OLD.farm_id IS NOT NULL AND OLD.farm_id IS DISTINCT FROM NEW.farm_id)
        EXECUTE FUNCTION device_stays()""")


def _countersignatures() -> None:
    name = "head_countersignatures"
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.Column("protected", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        _moment("received_at", now=True),
        sa.PrimaryKeyConstraint("id", name=f"{name}_pkey"),
        sa.ForeignKeyConstraint(["seal"], ["tree_heads.seal"], name=f"{name}_seal_fkey"),
        sa.ForeignKeyConstraint(["kid"], ["report_keys.kid"], name=f"{name}_kid_fkey"),
        sa.UniqueConstraint("seal", "kid", name=f"{name}_seal_kid_key"),
        comment="of witnesses, over the very bytes of a head that were signed",
    )


def _moment(name: str, *, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=default)
