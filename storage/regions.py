"""The regions of Kazakhstan: ISO 3166-2:KZ, whose digits are the first two of the KATO code."""

from __future__ import annotations

from storage.farms import Region


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
