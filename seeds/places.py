"""The regions of Kazakhstan, and six of them with farms.

Codes are ISO 3166-2:KZ; their digits are the first two of the KATO code.
"""

from __future__ import annotations

from typing import NamedTuple

from storage.farms import Region

TIMEZONE = "Asia/Almaty"  # the whole country since 2024-03-01


def _region(digits: str, kk: str, ru: str, en: str) -> Region:
    return Region(f"KZ-{digits}", digits, kk, ru, en)


# fmt: off
REGIONS = (
    _region("10", "Абай облысы", "Область Абай", "Abai Region"),
    _region("11", "Ақмола облысы", "Акмолинская область", "Akmola Region"),
    _region("15", "Ақтөбе облысы", "Актюбинская область", "Aktobe Region"),
    _region("19", "Алматы облысы", "Алматинская область", "Almaty Region"),
    _region("23", "Атырау облысы", "Атырауская область", "Atyrau Region"),
    _region(
        "27", "Батыс Қазақстан облысы", "Западно-Казахстанская область", "West Kazakhstan Region"
    ),
    _region("31", "Жамбыл облысы", "Жамбылская область", "Zhambyl Region"),
    _region("33", "Жетісу облысы", "Область Жетысу", "Zhetisu Region"),
    _region("35", "Қарағанды облысы", "Карагандинская область", "Karaganda Region"),
    _region("39", "Қостанай облысы", "Костанайская область", "Kostanay Region"),
    _region("43", "Қызылорда облысы", "Кызылординская область", "Kyzylorda Region"),
    _region("47", "Маңғыстау облысы", "Мангистауская область", "Mangystau Region"),
    _region("55", "Павлодар облысы", "Павлодарская область", "Pavlodar Region"),
    _region(
        "59",
        "Солтүстік Қазақстан облысы",
        "Северо-Казахстанская область",
        "North Kazakhstan Region",
    ),
    _region("61", "Түркістан облысы", "Туркестанская область", "Turkistan Region"),
    _region("62", "Ұлытау облысы", "Область Улытау", "Ulytau Region"),
    _region(
        "63", "Шығыс Қазақстан облысы", "Восточно-Казахстанская область", "East Kazakhstan Region"
    ),
    _region("71", "Астана қаласы", "город Астана", "Astana"),
    _region("75", "Алматы қаласы", "город Алматы", "Almaty"),
    _region("79", "Шымкент қаласы", "город Шымкент", "Shymkent"),
)
# fmt: on


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


SETTINGS = (
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
)  # fmt: skip
