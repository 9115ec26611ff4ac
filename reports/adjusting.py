"""Non-routine adjustments as people enter them: on which crop zone, how much, why, who says so."""

from __future__ import annotations

import math

import sqlalchemy as sa

from storage import adjustments, farms, fields
from storage.database import NotFound
from storage.fields import CropZone


def enter(
    connection: sa.Connection,
    farm: str,
    field: str,
    *,
    season: int,
    volume_m3: float,
    u_m3: float,
    reason: str,
    author: str,
    crop: str | None = None,
) -> int:
    """Enter an adjustment of the baseline of a field's crop zone, and return its id.

    Parameters
    ----------
    farm, field : str
        Short name of the farm, name of the field.
    season : int
        Year of harvest.
    volume_m3, u_m3 : float
        What is added to the adjusted baseline, signed, and its standard uncertainty.
    reason, author : str
        Why, and who says so.
    crop : str, optional
        Which of the field's crops; needed only where it had several in the season.

    Raises
    ------
    storage.database.NotFound
        If there is no such farm, field, season or crop.
    ValueError
        If a number makes no sense, a text is empty, or the crop must be named.
    """
    if not math.isfinite(volume_m3) or volume_m3 == 0:
        raise ValueError(f"volume of an adjustment: expected m³ other than 0, got {volume_m3:g}")
    if not math.isfinite(u_m3) or u_m3 < 0:
        raise ValueError(f"uncertainty of an adjustment: must not be negative, got {u_m3:g}")
    for name, text in (("reason", reason), ("author", author)):
        if not text.strip():
            raise ValueError(f"{name} of an adjustment: is empty")
    zone = _zone(connection, farm, field, season, crop)
    return adjustments.add(
        connection,
        zone.id,
        volume_m3=volume_m3,
        u_volume_m3=u_m3,
        reason=reason.strip(),
        author=author.strip(),
    )


def withdraw(connection: sa.Connection, adjustment_id: int, *, author: str) -> None:
    """Let an adjustment stand no longer; it stays to be seen with who withdrew it.

    Raises
    ------
    storage.database.NotFound
        If there is no adjustment of that id that stands.
    ValueError
        If nobody is named.
    """
    if not author.strip():
        raise ValueError("author of a withdrawal: is empty")
    adjustments.withdraw(connection, adjustment_id, by=author.strip())


def _zone(
    connection: sa.Connection, farm: str, field: str, season: int, crop: str | None
) -> CropZone:
    zones = fields.zones(connection, farm_id=farms.get(connection, farm).id, season=season)
    of_field = [zone for of, zone in zones if of.name == field]
    if not of_field:
        raise NotFound(f"crop on field {field!r} of {farm} in {season}")
    chosen = [zone for zone in of_field if crop in {None, zone.crop}]
    if not chosen:
        raise NotFound(f"{crop} on field {field!r} of {farm} in {season}")
    if len(chosen) > 1:
        crops = ", ".join(sorted(zone.crop for zone in chosen))
        raise ValueError(
            f"field {field!r} of {farm} had several crops in {season}: name one ({crops})"
        )
    return chosen[0]
