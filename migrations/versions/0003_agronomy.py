"""What a season's agronomy needs: adjustments, forecasts, machine results, and what is news."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

_DAY_NUMBERS = (
    "capillary_rise_mm",
    "overflow_mm",
    "correction_mm",
    "measured_depletion_mm",
    "surface_depletion_mm",
    "wetted_fraction",
    "depletion_variance_mm2",
    "subsoil_depletion_mm",
    "wind_2m_m_s",
    "rh_min_pct",
)
# Earlier days had none of these: zero is the truth.
_NONE_BEFORE = ("capillary_rise_mm", "overflow_mm", "correction_mm")
_SEASON_NUMBERS = (
    "soil_coverage_pct",
    "irrigation_net_mm",
    "effective_rain_mm",
    "capillary_rise_mm",
    "storage_change_mm",
    "correction_mm",
    "soil_bias_mm",
    "soil_rmse_mm",
    "adjustments_m3",
    "adjustments_u_m3",
    "relative_water_supply",
    "relative_irrigation_supply",
    "depleted_fraction",
    "beneficial_fraction",
    "crop_water_productivity_kg_m3",
    "irrigation_water_productivity_kg_m3",
    "relative_yield_estimate",
)


def upgrade() -> None:
    """Add columns and tables; results computed before stay as they are."""
    _fields_and_zones()
    _results()
    _entered()
    _news()
    _machines()


def _fields_and_zones() -> None:
    op.add_column(
        "fields",
        sa.Column(
            "land_use",
            sa.Text(),
            server_default="arable",
            nullable=False,
            comment="arable or pasture",
        ),
    )
    op.create_check_constraint(
        "fields_land_use_check", "fields", "land_use IN ('arable', 'pasture')"
    )
    op.add_column(
        "crop_zones",
        sa.Column("system_flow_m3_h", sa.Double(), comment="what its irrigation system delivers"),
    )
    op.add_column("track_points", sa.Column("animals_seen", sa.Double()))


def _results() -> None:
    for name in _DAY_NUMBERS:
        none = sa.text("0") if name in _NONE_BEFORE else None
        required = name in _NONE_BEFORE
        column: sa.Column[float] = sa.Column(
            name, sa.Double(), nullable=not required, server_default=none
        )
        op.add_column("balance_days", column)
    op.add_column(
        "balance_days",
        sa.Column(
            "input_digest",
            sa.LargeBinary(),
            nullable=False,
            server_default=sa.text("''"),
            comment="of the season up to this day",
        ),
    )
    for name in (*_NONE_BEFORE, "input_digest"):
        op.alter_column("balance_days", name, server_default=None)
    for name in _SEASON_NUMBERS:
        op.add_column("season_results", sa.Column(name, sa.Double()))
    op.add_column(
        "season_results",
        sa.Column("savings_option", sa.Text(), comment="A, B, C or D of the IPMVP"),
    )
    op.add_column(
        "season_results",
        sa.Column("baseline_source", sa.Text(), comment="metered seasons, or a run of the balance"),
    )
    op.add_column(
        "season_results",
        sa.Column("uncertainty", JSONB(), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column(
        "season_results",
        sa.Column("entered_digest", sa.Text(), comment="of what people entered"),
    )
    op.add_column(
        "season_results",
        sa.Column("computed_to", sa.Date(), comment="last day of the balance"),
    )


def _entered() -> None:
    op.create_table(
        "non_routine_adjustments",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("crop_zone_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "volume_m3",
            sa.Double(),
            nullable=False,
            comment="added to the adjusted baseline, signed",
        ),
        sa.Column("u_volume_m3", sa.Double(), nullable=False, comment="standard uncertainty"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        _moment("created_at", now=True),
        _moment("withdrawn_at", nullable=True),
        sa.Column("withdrawn_by", sa.Text()),
        sa.CheckConstraint("u_volume_m3 >= 0", name="non_routine_adjustments_u_volume_check"),
        sa.CheckConstraint(
            "reason <> '' AND author <> ''", name="non_routine_adjustments_said_check"
        ),
        sa.ForeignKeyConstraint(
            ["crop_zone_id"], ["crop_zones.id"], name="non_routine_adjustments_crop_zone_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="non_routine_adjustments_pkey"),
        comment="what changed beside the practice that is judged; withdrawn, never deleted",
    )
    op.create_index(
        "non_routine_adjustments_crop_zone_id_idx", "non_routine_adjustments", ["crop_zone_id"]
    )
    op.create_table(
        "weather_forecasts",
        sa.Column("farm_id", sa.BigInteger(), nullable=False),
        _moment("issued_at"),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("tmax_c", "tmin_c", "rain_mm")),
        *(
            sa.Column(name, sa.Double())
            for name in ("solar_mj_m2", "tdew_c", "rh_min_pct", "wind_m_s")
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="who forecast it"),
        sa.CheckConstraint("tmax_c >= tmin_c", name="weather_forecasts_temperature_check"),
        sa.CheckConstraint("rain_mm >= 0", name="weather_forecasts_rain_check"),
        sa.ForeignKeyConstraint(["farm_id"], ["farms.id"], name="weather_forecasts_farm_id_fkey"),
        sa.PrimaryKeyConstraint("farm_id", "issued_at", "day", name="weather_forecasts_pkey"),
    )


def _news() -> None:
    op.create_table(
        "reading_news",
        sa.Column("datastream_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("claimed", sa.Boolean(), nullable=False, comment="an analysis has taken it"),
        _moment("since"),
        sa.PrimaryKeyConstraint("datastream_id", "claimed", name="reading_news_pkey"),
        comment="earliest time of a reading that no analysis has seen yet",
    )
    op.create_table(
        "track_news",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("claimed", sa.Boolean(), nullable=False, comment="an analysis has taken it"),
        _moment("since"),
        sa.PrimaryKeyConstraint("device_id", "claimed", name="track_news_pkey"),
        comment="earliest time of a track point that no analysis has seen yet",
    )
    # What was stored before is news to the first analysis by days.
    op.execute("""
        INSERT INTO reading_news (datastream_id, claimed, since)
        SELECT datastream_id, false, min(time) FROM readings GROUP BY datastream_id""")
    op.execute("""
        INSERT INTO track_news (device_id, claimed, since)
        SELECT device_id, false, min(time) FROM track_points GROUP BY device_id""")


def _machines() -> None:
    op.create_table(
        "machine_results",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="the farm's"),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="day, work, operation, harvest, flight, herd or grazing",
        ),
        sa.Column("field_id", sa.BigInteger(), comment="none: outside the fields"),
        sa.Column("number", sa.Integer(), nullable=False, comment="among those of a day and kind"),
        sa.Column("figures", JSONB(), nullable=False, comment="units stand in the names"),
        sa.Column("method_version", sa.Text(), nullable=False),
        sa.Column("input_digest", sa.Text(), nullable=False),
        _moment("computed_at"),
        _moment("superseded_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name="machine_results_device_id_fkey"
        ),
        sa.ForeignKeyConstraint(["field_id"], ["fields.id"], name="machine_results_field_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="machine_results_pkey"),
    )
    op.create_index(
        "machine_results_current_key",
        "machine_results",
        ["device_id", "day", "kind", "field_id", "number"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index("machine_results_field_id_day_idx", "machine_results", ["field_id", "day"])


def _moment(name: str, *, now: bool = False, nullable: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)
