"""Where simulated farms lie, and how warm and wet it is there."""

from __future__ import annotations

from typing import NamedTuple

TIMEZONE = "Asia/Almaty"  # the whole country since 2024-03-01


class Climate(NamedTuple):
    """What the weather generator draws around; rough normals, for simulation only."""

    mean_c: float  # of the year
    swing_c: float  # July above the year's mean
    daily_range_c: float
    rain_chance: float  # a day in summer
    rain_mm: float  # of a rainy day, mean
    wind_m_s: float


class Setting(NamedTuple):
    """Where simulated farms lie, what they grow and how they water it."""

    region: str
    slug: str
    latitude_deg: float
    longitude_deg: float
    elevation_m: float
    climate: Climate
    crops: tuple[str, ...]
    planted: tuple[int, int]  # month, day
    irrigated: bool


# fmt: off
FIRST_SETTINGS = (  # of a small country: the irrigated south, and one region of the north
    Setting("KZ-61", "turkistan", 42.9, 68.3, 250, Climate(13.5, 15, 14, 0.06, 4, 2.6),
            ("cotton", "cotton", "maize"), (4, 20), True),
    Setting("KZ-43", "kyzylorda", 44.8, 65.6, 130, Climate(10.5, 17, 14, 0.05, 3, 3.4),
            ("safflower", "maize", "watermelon"), (5, 1), True),
    Setting("KZ-31", "zhambyl", 42.9, 71.5, 620, Climate(10.0, 14, 14, 0.12, 5, 2.8),
            ("sugar-beet", "maize", "onion"), (4, 20), True),
    Setting("KZ-19", "almaty-region", 43.6, 77.1, 690, Climate(9.5, 14, 13, 0.16, 5, 2.0),
            ("maize", "soybean", "potato"), (4, 25), True),
    Setting("KZ-33", "zhetisu", 45.0, 78.3, 610, Climate(8.5, 15, 13, 0.14, 5, 2.4),
            ("sugar-beet", "soybean", "maize"), (4, 25), True),
    Setting("KZ-39", "kostanay", 53.1, 63.5, 180, Climate(3.0, 18, 13, 0.26, 6, 3.8),
            ("spring-wheat", "barley", "spring-wheat"), (5, 15), False),
)
SETTINGS = (
    *FIRST_SETTINGS,
    Setting("KZ-10", "abai", 50.2, 80.1, 220, Climate(4.2, 18, 13, 0.22, 5, 3.0),
            ("spring-wheat", "sunflower", "barley"), (5, 12), False),
    Setting("KZ-11", "akmola", 51.9, 69.6, 390, Climate(3.0, 18, 13, 0.26, 6, 3.8),
            ("spring-wheat", "barley", "flax"), (5, 15), False),
    Setting("KZ-15", "aktobe", 50.3, 57.4, 230, Climate(5.0, 19, 13, 0.18, 5, 3.6),
            ("spring-wheat", "sunflower", "barley"), (5, 8), False),
    Setting("KZ-23", "atyrau", 47.6, 51.9, -18, Climate(9.5, 17, 12, 0.08, 4, 4.2),
            ("watermelon", "tomato", "onion"), (5, 1), True),
    Setting("KZ-27", "west-kazakhstan", 51.1, 51.5, 40, Climate(6.2, 17, 13, 0.18, 5, 3.6),
            ("spring-wheat", "sunflower", "safflower"), (5, 5), False),
    Setting("KZ-35", "karaganda", 50.0, 73.2, 550, Climate(3.6, 17, 14, 0.22, 5, 3.8),
            ("spring-wheat", "barley", "oats"), (5, 15), False),
    Setting("KZ-47", "mangystau", 44.3, 51.4, 20, Climate(12.0, 14, 11, 0.05, 4, 4.6),
            ("watermelon", "tomato", "onion"), (4, 20), True),
    Setting("KZ-55", "pavlodar", 52.4, 76.8, 120, Climate(3.4, 19, 13, 0.22, 5, 3.4),
            ("potato", "maize", "sunflower"), (5, 12), True),
    Setting("KZ-59", "north-kazakhstan", 54.5, 69.3, 140, Climate(2.4, 18, 12, 0.30, 6, 3.8),
            ("spring-wheat", "rapeseed", "barley"), (5, 16), False),
    Setting("KZ-62", "ulytau", 47.9, 67.6, 370, Climate(5.8, 18, 14, 0.10, 4, 4.0),
            ("potato", "maize", "onion"), (5, 8), True),
    Setting("KZ-63", "east-kazakhstan", 49.9, 82.5, 320, Climate(3.8, 17, 13, 0.30, 6, 2.4),
            ("sunflower", "spring-wheat", "oats"), (5, 10), False),
    Setting("KZ-71", "astana", 51.1, 71.4, 350, Climate(3.4, 18, 13, 0.24, 5, 3.8),
            ("potato", "potato", "onion"), (5, 15), True),
    Setting("KZ-75", "almaty", 43.3, 76.8, 720, Climate(10.0, 13, 12, 0.18, 6, 1.6),
            ("apple", "tomato", "potato"), (4, 20), True),
    Setting("KZ-79", "shymkent", 42.4, 69.6, 500, Climate(13.0, 14, 14, 0.08, 5, 2.4),
            ("cotton", "maize", "tomato"), (4, 15), True),
)
# fmt: on
