"""Places that networks and machines report: `{latitude, longitude, altitude}` to a point."""

from typing import Any

from ingest.codecs.documents import member
from ingest.messages import Rejected, TrackPoint


def point(location: object, time_us: int) -> TrackPoint | Rejected:
    """The point of a location; zero is what altitude has where nobody knows it."""
    latitude, longitude = (_degrees(member(location, name)) for name in ("latitude", "longitude"))
    problem = position_problem(latitude, longitude)
    if problem is not None:
        return problem
    altitude: Any = member(location, "altitude")
    known = type(altitude) in (int, float) and altitude != 0 and abs(altitude) < 1e5
    return TrackPoint(time_us, latitude, longitude, elevation_m=float(altitude) if known else None)


def position_problem(latitude: float, longitude: float) -> Rejected | None:
    """Why this is no position on Earth; None if it is one."""
    if latitude == 0 and longitude == 0:
        return Rejected("no-fix", "latitude and longitude are both 0")
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return Rejected("position-out-of-range", f"{latitude}, {longitude} is not on Earth")
    return None


def _degrees(written: object) -> float:
    """A coordinate; zero where it was left out, as zeros are; beyond the Earth if it is none."""
    if written is None:
        return 0.0
    if isinstance(written, bool) or not isinstance(written, (int, float)):
        return float("inf")
    return float(written) if abs(written) < 1e6 else float("inf")  # not so for NaN
