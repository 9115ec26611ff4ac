"""What changed of farms and of who may see them, told by the transaction that changes it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_OF_FIELDS = """
    SELECT 'farm:' || field.farm_id FROM changed JOIN fields AS field ON field.id = changed.field_id
"""
_OF_ZONES = """
    SELECT 'farm:' || field.farm_id
      FROM changed JOIN crop_zones AS zone ON zone.id = changed.crop_zone_id
      JOIN fields AS field ON field.id = zone.field_id
"""
# What is to be told of the changed rows of each table.
_SUBJECTS = {
    "regions": "SELECT 'places' FROM changed",
    "farms": "SELECT unnest(ARRAY['farm:' || id, 'places']) FROM changed",
    "fields": "SELECT 'farm:' || farm_id FROM changed",
    "crop_zones": _OF_FIELDS,
    "season_results": _OF_ZONES,
    "non_routine_adjustments": _OF_ZONES,
    "machine_results": _OF_FIELDS,
    "devices": "SELECT 'farm:' || farm_id FROM changed",
    "accounts": "SELECT 'account:' || id FROM changed",
    "api_clients": "SELECT 'client:' || id FROM changed",
}
# A row that moves from one farm to another is a change of both.
_EVENTS = (
    ("insert", "INSERT", "NEW"),
    ("delete", "DELETE", "OLD"),
    ("update", "UPDATE", "NEW"),
    ("update_of", "UPDATE", "OLD"),
)


def upgrade() -> None:
    """Add the table, and a trigger for whatever summaries and credentials rest on."""
    op.create_table(
        "changes",
        sa.Column(
            "xact",
            sa.BigInteger(),
            server_default=sa.text("pg_current_xact_id()::text::bigint"),
            nullable=False,
        ),
        sa.Column(
            "subject", sa.Text(), nullable=False, comment="places, farm:…, account:… or client:…"
        ),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("xact", "subject", name="changes_pkey"),
        comment="what a transaction changed; kept for a day",
    )
    op.create_index("changes_at_idx", "changes", ["at"])
    for table, subjects in _SUBJECTS.items():
        _function(f"{table}_changed", _TELL.format(subjects=subjects))
        for name, event, rows in _EVENTS:
            op.execute(f"""
                CREATE TRIGGER {table}_changed_on_{name} AFTER {event} ON {table}
                REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT
                EXECUTE FUNCTION {table}_changed()
            """)
    _function("device_spoke", _SPOKE)
    for event, condition in (
        ("INSERT", "true"),
        ("UPDATE", "OLD.received_at < clock_timestamp() - interval '23 hours'"),
    ):
        op.execute(f"""
            CREATE TRIGGER device_spoke_on_{event.lower()} AFTER {event} ON device_heard
            FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION device_spoke()
        """)


_TELL = """
    INSERT INTO changes (subject)
    SELECT DISTINCT subject FROM ({subjects}) AS told (subject) WHERE subject IS NOT NULL
    ON CONFLICT DO NOTHING;
"""
# A device that speaks after it may have been called silent: by a clock that is up to an hour ahead,
# a day after its last word. It stays where it is until this commits, or else the farm it moves to
# would not be told.
_SPOKE = """
    INSERT INTO changes (subject)
    SELECT 'farm:' || farm_id FROM devices
     WHERE id = NEW.device_id AND farm_id IS NOT NULL FOR SHARE
    ON CONFLICT DO NOTHING;
"""


def _function(name: str, statement: str) -> None:
    # Under the right of who migrates: nobody else writes changes. pg_temp comes last, or a role
    # could put a table of its own in the place of ours.
    base = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
    op.execute(f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = {base}, pg_temp AS $$ BEGIN {statement} RETURN NULL; END $$
    """)
    op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
