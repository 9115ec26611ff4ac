"""Reports as filed, which nobody changes; where water comes from, and what was invested."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"

_ADDED_TO_ALONE = (
    "report_keys",
    "filed_reports",
    "report_revisions",
    "report_countersignatures",
)


def upgrade() -> None:
    """Add the tables, a trigger that numbers, and one that refuses changes."""
    _keys_and_counters()
    _reports()
    _revisions()
    _countersignatures()
    _water_supplies()
    _investments()
    base = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
    _numbering(base)
    op.execute("""
        CREATE FUNCTION filed_is_filed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are added to and never changed', TG_TABLE_NAME
                  USING ERRCODE = 'insufficient_privilege';
        END $$""")
    for table in _ADDED_TO_ALONE:
        op.execute(f"""
            CREATE TRIGGER filed_is_filed BEFORE UPDATE OR DELETE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION filed_is_filed()""")


def _numbering(base: str) -> None:
    # Under the right of who migrates: the API's role sees some reports and no counter. The row of
    # the counter stays locked until the report's transaction ends, and goes back with it.
    op.execute(f"""
        CREATE FUNCTION number_of_report() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = {base}, pg_temp AS $$
        BEGIN
            INSERT INTO report_counters AS counter (kind, year, last)
            VALUES (NEW.kind, NEW.year, 1)
                ON CONFLICT (kind, year) DO UPDATE SET last = counter.last + 1
            RETURNING last INTO NEW.serial;
            RETURN NEW;
        END $$""")  # noqa: S608 - names of this module
    op.execute("REVOKE ALL ON FUNCTION number_of_report() FROM PUBLIC")
    op.execute("""
        CREATE TRIGGER number_of_report BEFORE INSERT ON filed_reports
        FOR EACH ROW EXECUTE FUNCTION number_of_report()""")


def _keys_and_counters() -> None:
    op.create_table(
        "report_keys",
        sa.Column("kid", sa.Text(), nullable=False, comment="thumbprint (RFC 7638)"),
        sa.Column("jwk", JSONB(), nullable=False, comment="public alone"),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False, comment="whose key it is"),
        sa.Column("created_by", sa.Text(), nullable=False),
        _moment("created_at", now=True),
        sa.PrimaryKeyConstraint("kid", name="report_keys_pkey"),
        sa.CheckConstraint("role IN ('files', 'countersigns')", name="report_keys_role_check"),
        comment="keys that reports are signed with; an old one stays, for what it signed",
    )
    op.create_table(
        "report_counters",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "year", name="report_counters_pkey"),
        comment="the last number given, in the transaction of its report: there are no gaps",
    )


def _reports() -> None:
    name = "filed_reports"
    op.create_table(
        name,
        _id(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False, comment="of the first filing, UTC"),
        sa.Column("serial", sa.Integer(), nullable=False, comment="given by a trigger"),
        sa.Column("subject", sa.Text(), nullable=False, comment="farm:12 or area:KZ-61"),
        sa.Column("farm_id", sa.BigInteger(), comment="none: of an area"),
        sa.Column("area_code", sa.Text(), comment="none: of a farm"),
        sa.Column("season", sa.SmallInteger(), nullable=False),
        sa.Column("period_start", sa.Date(), comment="of a part of the season; none: the whole"),
        sa.Column("period_end", sa.Date(), comment="the day after its last"),
        _moment("created_at", now=True),
        sa.PrimaryKeyConstraint("id", name=f"{name}_pkey"),
        sa.ForeignKeyConstraint(["farm_id"], ["farms.id"], name=f"{name}_farm_id_fkey"),
        sa.UniqueConstraint("kind", "year", "serial", name=f"{name}_kind_year_serial_key"),
        sa.UniqueConstraint(
            "subject",
            "kind",
            "season",
            "period_start",
            "period_end",
            name=f"{name}_subject_key",
            postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint(
            "(farm_id IS NULL) <> (area_code IS NULL)", name=f"{name}_subject_check"
        ),
        sa.CheckConstraint(
            "(period_start IS NULL) = (period_end IS NULL)", name=f"{name}_period_check"
        ),
    )
    op.create_index(f"{name}_area_code_idx", name, ["area_code"])
    op.create_index(f"{name}_farm_id_idx", name, ["farm_id"])


def _revisions() -> None:
    name = "report_revisions"
    op.create_table(
        name,
        _id(),
        sa.Column("report_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.SmallInteger(), nullable=False, comment="0: as first filed"),
        sa.Column(
            "manifest", sa.Text(), nullable=False, comment="canonical JSON (RFC 8785), as signed"
        ),
        sa.Column("protected", sa.Text(), nullable=False, comment="header of the JWS, base64url"),
        sa.Column("signature", sa.Text(), nullable=False, comment="base64url"),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column(
            "content_digest", sa.Text(), nullable=False, comment="SHA-256: equal, nothing new"
        ),
        _moment("as_of"),
        _moment("filed_at"),
        sa.Column("filed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), comment="of a revision"),
        sa.PrimaryKeyConstraint("id", name=f"{name}_pkey"),
        sa.ForeignKeyConstraint(["report_id"], ["filed_reports.id"], name=f"{name}_report_id_fkey"),
        sa.ForeignKeyConstraint(["kid"], ["report_keys.kid"], name=f"{name}_kid_fkey"),
        sa.UniqueConstraint("report_id", "revision", name=f"{name}_report_id_revision_key"),
        sa.CheckConstraint("(revision = 0) = (reason IS NULL)", name=f"{name}_reason_check"),
    )


def _countersignatures() -> None:
    name = "report_countersignatures"
    op.create_table(
        name,
        _id(),
        sa.Column("revision_id", sa.BigInteger(), nullable=False),
        sa.Column("protected", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        _moment("received_at", now=True),
        sa.PrimaryKeyConstraint("id", name=f"{name}_pkey"),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["report_revisions.id"], name=f"{name}_revision_id_fkey"
        ),
        sa.ForeignKeyConstraint(["kid"], ["report_keys.kid"], name=f"{name}_kid_fkey"),
        sa.UniqueConstraint("revision_id", "kid", name=f"{name}_revision_id_kid_key"),
        comment="of others, over the very bytes that were signed",
    )


def _water_supplies() -> None:
    name = "water_supplies"
    op.create_table(
        name,
        _id(),
        sa.Column("field_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="until the next of the field"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "name", sa.Text(), server_default="", nullable=False, comment="of the canal or well"
        ),
        sa.Column("tariff_kzt_m3", sa.Double(), comment="none: not known"),
        sa.Column("reference", sa.Text(), nullable=False, comment="contract or order that says so"),
        *_entered(),
        sa.PrimaryKeyConstraint("id", name=f"{name}_pkey"),
        sa.ForeignKeyConstraint(["field_id"], ["fields.id"], name=f"{name}_field_id_fkey"),
        sa.CheckConstraint(
            "source IN ('river', 'canal', 'reservoir', 'groundwater', 'drainage', 'wastewater', "
            "'other')",
            name=f"{name}_source_check",
        ),
        sa.CheckConstraint("tariff_kzt_m3 >= 0", name=f"{name}_tariff_check"),
        comment="where the water of a field comes from, and what is paid for it",
    )
    op.create_index(
        f"{name}_field_id_valid_from_key",
        name,
        ["field_id", "valid_from"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )


def _investments() -> None:
    name = "investments"
    op.create_table(
        name,
        _id(),
        sa.Column("farm_id", sa.BigInteger(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("amount_kzt", sa.Double(), nullable=False),
        sa.Column("subsidy_kzt", sa.Double(), comment="part of the amount; none: not known"),
        sa.Column("area_ha", sa.Double()),
        sa.Column("service_life_years", sa.Double(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False, comment="contract, act or invoice"),
        *_entered(),
        sa.PrimaryKeyConstraint("id", name=f"{name}_pkey"),
        sa.ForeignKeyConstraint(["farm_id"], ["farms.id"], name=f"{name}_farm_id_fkey"),
        sa.CheckConstraint(
            "purpose IN ('water-saving-irrigation', 'telemetry', 'machinery', 'other')",
            name=f"{name}_purpose_check",
        ),
        sa.CheckConstraint(
            "amount_kzt > 0 AND service_life_years > 0", name=f"{name}_amount_check"
        ),
        sa.CheckConstraint(
            "subsidy_kzt >= 0 AND subsidy_kzt <= amount_kzt", name=f"{name}_subsidy_check"
        ),
    )
    op.create_index(f"{name}_farm_id_idx", name, ["farm_id"])


def _entered() -> list[sa.Column[object]]:
    return [
        _moment("created_at", now=True),
        sa.Column(
            "created_by",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="as the book of deeds has it; empty: not entered by a person",
        ),
        sa.Column(
            "withdrawn_at",
            sa.DateTime(timezone=True),
            comment="since when it stands no longer; nothing is erased",
        ),
        sa.Column("withdrawn_by", sa.Text()),
    ]


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _moment(name: str, *, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=default)
