"""Credentials with an overlap, topics of gateways, where devices stood, calibrations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Move what there is of credentials and calibrations, and note what follows from a change."""
    _credentials()
    _placements()
    _calibrations()
    for function, body in (
        ("credentials_of_devices", _CREDENTIALS_OF_DEVICES),
        ("news_of_placements", _NEWS_OF_PLACEMENTS),
        ("news_of_calibrations", _NEWS_OF_CALIBRATIONS),
        ("registered_are_known", _REGISTERED_ARE_KNOWN),
    ):
        _trigger_function(function, body)
    op.execute("""
        CREATE TRIGGER credentials AFTER UPDATE OF disabled, kind, topic_filters ON devices
        FOR EACH ROW WHEN ((old.disabled, old.kind, old.topic_filters)
                           IS DISTINCT FROM (new.disabled, new.kind, new.topic_filters))
        EXECUTE FUNCTION credentials_of_devices()""")
    op.execute("""
        CREATE TRIGGER known AFTER INSERT ON devices
        FOR EACH ROW EXECUTE FUNCTION registered_are_known()""")
    for table, function in (
        ("device_placements", "news_of_placements"),
        ("datastream_calibrations", "news_of_calibrations"),
    ):
        op.execute(f"""
            CREATE TRIGGER news AFTER INSERT OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {function}()""")


def _credentials() -> None:
    op.create_table(
        "device_credentials",
        sa.Column("username", sa.Text(), nullable=False, comment="at the broker: the id, or id~2"),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column(
            "token_hash",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of a 256-bit random token, in hex",
        ),
        _now("created_at"),
        _noted("ends_at", "when it was replaced: it is worth nothing from then on"),
        _noted("first_used_at", "when a device first came with it, where its broker tells"),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("applied", sa.BigInteger(), comment="the revision that Mosquitto has"),
        sa.Column("sealed_token", sa.Text(), comment="encrypted (JWE), until Mosquitto has it"),
        sa.Column("failure", sa.Text(), comment="why Mosquitto does not have it"),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name="device_credentials_device_id_fkey"
        ),
        sa.PrimaryKeyConstraint("username", name="device_credentials_pkey"),
    )
    op.create_index("device_credentials_device_id_idx", "device_credentials", ["device_id"])
    op.create_index(
        "device_credentials_pending_idx",
        "device_credentials",
        ["username"],
        postgresql_where=sa.text("applied IS DISTINCT FROM revision"),
    )
    op.create_index(
        "device_credentials_ends_at_idx",
        "device_credentials",
        ["ends_at"],
        postgresql_where=sa.text("ends_at IS NOT NULL"),
    )
    op.execute("""
        INSERT INTO device_credentials (username, device_id, token_hash)
        SELECT id, id, credential_hash FROM devices WHERE credential_hash IS NOT NULL""")
    op.drop_column("devices", "credential_hash")
    op.add_column(
        "devices",
        sa.Column(
            "topic_filters",
            ARRAY(sa.Text()),
            comment="of a gateway: topics of the devices behind it",
        ),
    )


def _placements() -> None:
    op.create_table(
        "device_placements",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("datastream_id", sa.Integer(), comment="none: all of its device"),
        sa.Column("field_id", sa.BigInteger(), comment="none: the farm; or as its device"),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        _now("created_at"),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=f"device_placements_{column}_fkey"
            )
            for column, table in (
                ("device_id", "devices"),
                ("datastream_id", "datastreams"),
                ("field_id", "fields"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name="device_placements_pkey"),
        sa.UniqueConstraint(
            "device_id",
            "datastream_id",
            "valid_from",
            name="device_placements_device_id_datastream_id_valid_from_key",
            postgresql_nulls_not_distinct=True,
        ),
        comment="where a device measured, each until the next; without a row, where it is",
    )


def _calibrations() -> None:
    op.create_table(
        "datastream_calibrations",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("datastream_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slope", sa.Double(), nullable=False),
        sa.Column("intercept", sa.Double(), nullable=False, comment="canonical unit"),
        sa.Column(
            "reference", sa.Text(), nullable=False, comment="certificate, or how it was found"
        ),
        sa.Column("created_by", sa.Text(), nullable=False),
        _now("created_at"),
        sa.CheckConstraint(
            "slope > 0 AND slope < 'Infinity'", name="datastream_calibrations_slope_check"
        ),
        sa.ForeignKeyConstraint(
            ["datastream_id"], ["datastreams.id"], name="datastream_calibrations_datastream_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="datastream_calibrations_pkey"),
        sa.UniqueConstraint(
            "datastream_id",
            "valid_from",
            name="datastream_calibrations_datastream_id_valid_from_key",
        ),
        comment="slope × reading + intercept, each until the next; readings stay as they came",
    )
    # Nothing ever computed with the column; whoever filled it by hand finds it here.
    op.execute("""
        INSERT INTO datastream_calibrations
               (datastream_id, valid_from, slope, intercept, reference, created_by)
        SELECT id, to_timestamp(0), coalesce(CAST(calibration ->> 'slope' AS float8), 1),
               coalesce(CAST(calibration ->> 'offset' AS float8), 0), 'as entered', 'console'
          FROM datastreams
         WHERE jsonb_typeof(calibration) = 'object'""")
    op.drop_column("datastreams", "calibration")


# A broker has to be told what became of a device, whoever changed it and how.
_CREDENTIALS_OF_DEVICES = """
    UPDATE device_credentials SET revision = revision + 1 WHERE device_id = new.id;
    RETURN NULL;
"""
_REGISTERED_ARE_KNOWN = """
    DELETE FROM unknown_devices WHERE identity IN (new.id, new.wire_id);
    RETURN NULL;
"""
# What was computed of readings is computed again; where there are none, nothing was. The lock is
# the one that writers of news share, see storage/news.py.
_NEWS = """
    PERFORM pg_advisory_xact_lock_shared(hashtext('dala news of brief transactions'));
    IF TG_OP = 'DELETE' THEN new := old; END IF;
    INSERT INTO reading_news AS known (datastream_id, claimed, since)
    SELECT stream.id, false, greatest(new.valid_from, earliest.time)
      FROM datastreams AS stream
CROSS JOIN LATERAL (SELECT time FROM readings WHERE datastream_id = stream.id
                  ORDER BY time LIMIT 1) AS earliest
     WHERE {which}
  ORDER BY stream.id
        ON CONFLICT (datastream_id, claimed)
        DO UPDATE SET since = least(known.since, excluded.since);
    RETURN NULL;
"""
_NEWS_OF_PLACEMENTS = _NEWS.format(
    which="stream.device_id = new.device_id "
    "AND (new.datastream_id IS NULL OR stream.id = new.datastream_id)"
)
_NEWS_OF_CALIBRATIONS = _NEWS.format(which="stream.id = new.datastream_id")


def _trigger_function(name: str, body: str) -> None:
    """A function that does its work whatever the rights of who changed the row."""
    base = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = {base}, pg_temp AS $$ BEGIN {body} END $$"
    )
    op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")


def _now(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _noted(name: str, comment: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), comment=comment)
