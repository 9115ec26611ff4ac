"""Task data sets of ISO 11783-10 that tests write themselves."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from struct import pack

DAY = 16_583  # of 1980: 2025-05-27, as 16,583 = 45 * 365 + 12 leap days + 31 + 28 + 31 + 30 + 26
TEN = 10 * 3_600_000  # 10:00 [ms]

# A seeder: its tank and drill say what they do; the tractor before it says nothing.
MACHINE = """<DVC A="DVC-1" B="Seeder" C="1.0" D="A00284000DE00001" E="S/N 42">
 <DET A="DET-1" B="1" C="1" D="Seeder" E="0" F="0"/><DET A="DET-2" B="2" C="2" E="1" F="1"/>
 </DVC>"""
HARVESTER = MACHINE.replace("Seeder", "Combine").replace("A0028400", "A00E8400")
TASK = """<TSK A="TSK-1" B="Sowing" E="PFD-1" G="4"><TLG A="TLG00001" C="1"/>
 <TIM A="2025-05-27T10:00:00" B="2025-05-27T10:00:03" D="4"><DLV A="0074" B="60" C="DET-1"/></TIM>
 <DAN A="A00284000DE00001" C="DVC-1"/><PAN A="PDT-1"/></TSK>"""
NAMES = '<PFD A="PFD-1" C="North"/><PDT A="PDT-1" B="Barley"/>'


def document(*parts: str) -> bytes:
    """TASKDATA.XML with the machine, unless parts are given."""
    inside = "".join(parts or (MACHINE, TASK, NAMES))
    head = 'VersionMajor="4" TaskControllerManufacturer="Maker" TaskControllerVersion="2"'
    return f"<?xml version='1.0'?><ISO11783_TaskData {head}>{inside}</ISO11783_TaskData>".encode()


def header(ddis: Sequence[int | tuple[int, str]], places: str = "ABD") -> bytes:
    """TLGnnnnn.xml of values, each of DET-1 or of the element beside it."""
    pairs = [(one, "DET-1") if isinstance(one, int) else one for one in ddis]
    values = "".join(f'<DLV A="{ddi:04X}" B="" C="{element}"/>' for ddi, element in pairs)
    empty = " ".join(f'{name}=""' for name in places)
    return f'<TIM A="" D="4"><PTN {empty}/>{values}</TIM>'.encode()


def record(
    second: float,
    changed: Mapping[int, int] | None = None,
    *,
    lat: int = 510_000_000,
    lon: int = 710_000_000,
    status: int = 1,
    day: int = DAY,
    extra: bytes = b"",
) -> bytes:
    """A record of ``places="ABD"``, seconds after 10:00; ``extra`` stands after the status."""
    head = pack("<IHiiB", TEN + round(second * 1000), day, lat, lon, status) + extra
    values = b"".join(pack("<Bi", index, raw) for index, raw in (changed or {}).items())
    return head + pack("<B", len(changed or {})) + values


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
