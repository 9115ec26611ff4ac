"""Verbs for the land: what is entered stands with who entered it, and what cannot be says why."""

import csv
import errno
import getpass
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from dala import app
from storage import audit, credentials, farms, fields, tables
from storage.farms import Region
from tests.api.writing.test_boundary_files import APART
from tests.api.writing.world import BOW_TIE, square

Run = Callable[..., Result]
FARM = ("farm", "add", "steppe", "--name", "Дала", "--at", "43.3,68.25", "--elevation", "210")


@pytest.fixture
def run(empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A verb on the test database."""
    url = empty_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DALA_DATABASE_URL", url)
    monkeypatch.setenv("DALA_BROKER_KEY", "ab" * 32)
    monkeypatch.setenv("COLUMNS", "250")
    with empty_engine.begin() as connection:  # which migrating had put there
        farms.put_region(connection, Region("KZ-61", "61", "Түркістан", "Туркестан", "Turkistan"))
    return lambda *words: CliRunner().invoke(app, [str(one) for one in words])


def geojson(folder: Path, **shapes: dict[str, Any]) -> Path:
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": shape}
        for name, shape in shapes.items()
    ]
    file = folder / "fields.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


def deeds(engine: sa.Engine) -> list[tuple[str, str]]:
    query = sa.select(tables.audit_log.c.actor, tables.audit_log.c.action)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(tables.audit_log.c.id))
        return [(row.actor, row.action) for row in rows]


def test_a_farm_its_field_and_its_crop_are_entered(
    run: Run, empty_engine: sa.Engine, tmp_path: Path
) -> None:
    assert run("farm", "list").stderr.startswith("There is no farm yet")
    done = [
        run(*FARM, "--region", "KZ-61"),
        run("field", "add", "west", "--farm", "steppe", "--boundary",
            geojson(tmp_path, west=square()), "--texture", "loam"),
        run("crop", "add", "cotton", "--farm", "steppe", "--field", "west", "--planted",
            "20.04.2025", "--harvested", "2025-09-30", "--method", "drip"),
    ]  # fmt: skip

    assert [one.exit_code for one in done] == [0, 0, 0], [one.output for one in done]
    assert "west has 25.00 ha (geodesic)" in done[1].stderr
    shown = run("farm", "show", "steppe").stdout
    assert "Дала (steppe), KZ-61, 43.3, 68.25, 210 m" in shown
    assert "cotton 2025" in shown
    assert "25.0" in run("farm", "list").stdout
    me = f"console:{getpass.getuser()}"
    actions = ["farm.create", "field.create", "crop-zone.create"]
    assert deeds(empty_engine) == [(me, action) for action in actions]
    with empty_engine.connect() as connection:
        ((field, zone),) = fields.zones(connection, farm_id=farms.get(connection, "steppe").id)
        by = connection.scalar(sa.select(tables.crop_zones.c.created_by))
    assert (field.area_ha, field.soil) == (pytest.approx(25.0, rel=1e-3), {"texture": "loam"})
    assert (zone.season, zone.irrigation_method, by) == (2025, "drip", me)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((*FARM[:5], "--at", "43.3", "--elevation", "1"), "write latitude,longitude"),
        ((*FARM[:5], "--at", "93,68", "--elevation", "1"), "latitude_deg: Input should be less"),
        ((*FARM, "--region", "KZ-99"), "There is no region 'KZ-99'; there are KZ-61"),
        ((*FARM, "--timezone", "Almaty"), "timezone: Value error, is no time zone"),
        (("farm", "add", "Steppe", *FARM[3:]), "slug: String should match"),
        (("farm", "show", "steppes"), "There is no farm 'steppes'. Try: steppe"),
        (("field", "add", "x", "--farm", "steppe"), "give a geometry, or official_area_ha"),
        (("field", "add", "x", "--farm", "step", "--area", "5"), "Try: steppe"),
        (("field", "add", "x", "--farm", "steppe", "--area", "5", "--texture", "mud"), "'mud'"),
        (("crop", "add", "dragonfruit", "--farm", "steppe", "--field", "west", "--planted",
          "2025-04-20", "--harvested", "2025-09-30"), 'no crop is called "dragonfruit"'),
    ],
)  # fmt: skip
def test_what_cannot_be_entered_says_why(
    run: Run, empty_engine: sa.Engine, words: tuple[str, ...], why: str
) -> None:
    run(*FARM)
    run("field", "add", "west", "--farm", "steppe", "--area", "25")
    before = deeds(empty_engine)

    refused = run(*words)

    assert refused.exit_code == 1, refused.output
    assert why in refused.stderr
    assert deeds(empty_engine) == before


def test_the_same_name_is_entered_once(run: Run) -> None:
    again = [run(*FARM), run(*FARM)]

    assert [one.exit_code for one in again] == [0, 1]
    assert "there is one like it already" in again[1].stderr


def test_a_file_of_boundaries_is_imported_whole_or_not_at_all(
    run: Run, empty_engine: sa.Engine, tmp_path: Path
) -> None:
    run(*FARM)
    good = geojson(tmp_path, west=square(), east=square(68.3))
    tried = run("import", good, "--farm", "steppe", "--dry-run")
    kept = [run("import", good, "--farm", "steppe") for _ in range(2)]
    bad = run("import", geojson(tmp_path, west=square(), odd=BOW_TIE), "--farm", "steppe")

    assert "line 2: field east, is new field, area_ha 25.0" in tried.stdout
    assert [one.exit_code for one in (tried, *kept)] == [0, 0, 0]
    assert bad.exit_code == 1
    assert "fields.geojson, place 2 (odd): The boundary" in bad.stdout
    with empty_engine.connect() as connection:
        farm = farms.get(connection, "steppe")
        assert [one.name for one in fields.of_farm(connection, farm.id)] == ["east", "west"]
        versions = connection.scalar(
            sa.select(sa.func.count()).select_from(tables.field_boundaries)
        )
    assert versions == 2  # the second time it was the same


def test_partfields_are_read_from_a_folder_with_the_files_that_it_refers_to(
    run: Run, empty_engine: sa.Engine, tmp_path: Path
) -> None:
    run(*FARM)
    folder = tmp_path / "usb" / "TASKDATA"
    folder.mkdir(parents=True)
    for name, text in APART.items():
        corners = square()["coordinates"][0][:-1]
        points = "".join(f'<PNT A="2" C="{y}" D="{x}"/>' for x, y in corners)
        (folder / f"{name}.XML").write_text(text.replace("{points}", points))

    from_folder = run("import", tmp_path / "usb", "--farm", "steppe", "--kind", "boundaries")
    from_file = run("import", folder / "TASKDATA.XML", "--farm", "steppe", "--kind", "boundaries")

    assert (from_folder.exit_code, from_file.exit_code) == (0, 0), from_folder.output
    with empty_engine.connect() as connection:
        (field,) = fields.of_farm(connection, farms.get(connection, "steppe").id)
    assert (field.name, field.official_field_id) == ("Солтүстік", "1")


def excel(folder: Path, name: str, text: str) -> Path:
    """As Excel saves CSV in Kazakhstan: semicolons, Windows-1251, lines of DOS."""
    file = folder / name
    file.write_bytes(text.replace("\n", "\r\n").encode("cp1251"))
    return file


def test_five_hundred_lines_of_excel_are_tried_and_kept(
    run: Run, empty_engine: sa.Engine, tmp_path: Path
) -> None:
    run(*FARM)
    run("field", "add", "Поле 1", "--farm", "steppe", "--area", "25")
    crops = excel(tmp_path, "crops.csv",
        "field;season;crop;planted;harvested;area_ha;crop_parameters\n"
        'Поле 1;2025;хлопчатник;20.04.2025;30.09.2025;24,5;"{""name"": ""cotton""}"\n',
    )  # fmt: skip
    water = excel(tmp_path, "water.csv",
        "field;started_at;ended_at;volume_m3;note\n"
        + "".join(f"Поле 1;{day:02d}.{month:02d}.2025 {hour - 4}:00;{day:02d}.{month:02d}.2025 "
                  f"{hour}:30;1 200,5;из журнала\n"
                  for month in (5, 6, 7, 8) for day in range(1, 26) for hour in range(10, 15)),
    )  # fmt: skip

    done = [run("import", one, "--farm", "steppe", *more) for one in (crops, water)
            for more in (("--dry-run",), ())]  # fmt: skip

    assert [one.exit_code for one in done] == [0] * 4, [one.output for one in done]
    events = tables.irrigation_events.c
    with empty_engine.connect() as connection:
        query = sa.select(sa.func.count(), sa.func.sum(events.volume_m3), sa.func.min(events.note))
        count, volume, note = connection.execute(query).one()
        first = connection.scalar(sa.select(sa.func.min(events.started_at)))
        area = connection.scalar(sa.select(tables.crop_zones.c.area_ha))
    assert (count, volume, note, area) == (500, 600_250.0, "из журнала", 24.5)
    assert first.isoformat() == "2025-05-01T01:00:00+00:00"  # 06:00 in Asia/Almaty


def test_wrong_lines_are_named_with_column_and_what_to_write(run: Run, tmp_path: Path) -> None:
    run(*FARM)
    run("field", "add", "Поле 1", "--farm", "steppe", "--area", "25")
    water = excel(tmp_path, "water.csv",
        "field;started_at;ended_at;volume_m3\n"
        "Поле 1;12.06.2025 06:00;12.06.2025 18:00;12,5\n"
        "Поле 1;06/12/2025;12.06.2025 18:00;3.200\n"
        "Поле 11;12.06.2025 06:00;12.06.2025 18:00;много\n"
        "Поле 11;12.06.2025 06:00;12.06.2025 18:00;7\n"
        "Поле 1;12.06.2025 18:00;12.06.2025 06:00;7\n",
    )  # fmt: skip

    refused = run("import", water, "--farm", "steppe")

    assert refused.exit_code == 1
    for words in (
        "water.csv, line 3: started_at: '06/12/2025' is no time: write 2025-06-12 06:00 or 12.06",
        "water.csv, line 3: volume_m3: '3.200' may be 3200 or 3.200: write 3200 or 3.2000",
        "water.csv, line 4: volume_m3: 'много' is no number: write 12.5",
        "water.csv, line 5: field: there is no field 'Поле 11' on the farm (Поле 1)",
        "water.csv, line 6: line: Value error, ended_at must be after started_at",
    ):
        assert words in refused.stdout
    assert "line 2" not in refused.stdout
    assert "Extra inputs" not in refused.stdout  # field, which the line is named by


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("field;season;crop;planted;harvested\nҚызыл;2025;мақта;20.04.2025;30.09.2025\n".encode(
            "kz1048"), "line 2: byte 0x8d is neither UTF-8 nor Russian"),
        (b'field,season,crop,planted,harvested\n"a"b,2025,cotton,2025-04-20,2025-09-30\n',
         "is no CSV that is read here: ',' expected after '\"'"),
    ],
    ids=["Kazakh letters", "a stray quote"],
)  # fmt: skip
def test_a_table_that_cannot_be_read_is_told_by_its_header_and_says_why(
    run: Run, tmp_path: Path, content: bytes, words: str
) -> None:
    run(*FARM)
    crops = tmp_path / "crops.csv"
    crops.write_bytes(content)

    refused = run("import", crops, "--farm", "steppe")

    assert refused.exit_code == 1
    assert words in refused.stdout


def test_many_probes_come_into_service_and_their_tokens_are_in_a_file(
    run: Run, empty_engine: sa.Engine, tmp_path: Path
) -> None:
    run(*FARM)
    run("field", "add", "west", "--farm", "steppe", "--area", "25")
    lines = [f"probe-{number};soil-probe;west;Датчик {number}" for number in range(40)]
    probes = excel(tmp_path, "probes.csv", "\n".join(["id;kind;field;name", *lines]))
    tokens = tmp_path / "tokens.csv"

    without = [run("import", probes, "--farm", "steppe", *dry) for dry in ((), ("--dry-run",))]
    tried = run("import", probes, "--farm", "steppe", "--tokens", tokens, "--dry-run")
    assert ["by --tokens FILE" in one.stdout for one in without] == [True, True]
    assert [one.exit_code for one in without] == [1, 1]
    assert (tried.exit_code, tokens.exists()) == (0, False), tried.output
    kept = run("import", probes, "--farm", "steppe", "--tokens", tokens)
    again = run("import", probes, "--farm", "steppe", "--tokens", tmp_path / "more.csv")
    over = run("import", probes, "--farm", "steppe", "--tokens", tokens)

    assert kept.exit_code == 0, kept.output
    assert tokens.stat().st_mode & 0o777 == 0o600
    with tokens.open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [one["client_id"] for one in rows] == [f"probe-{number}" for number in range(40)]
    with empty_engine.connect() as connection:
        for one in (rows[0], rows[-1]):
            found = credentials.find(connection, one["client_id"])
            assert found is not None
            assert [token.token_hash for token in found.tokens] == [
                credentials.hash_token(one["token"])
            ]
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.devices)) == 40
    assert "line 2: a device is registered as 'probe-0'" in again.stdout
    assert not (tmp_path / "more.csv").exists()
    assert "is there already" in over.stderr
    noted = [action for _, action in deeds(empty_engine)]
    assert noted.count("device.register") == 40


@pytest.mark.parametrize("dry", [("--dry-run",), ()], ids=["tried", "done"])
def test_where_tokens_cannot_be_written_no_probe_comes_into_service(
    run: Run,
    empty_engine: sa.Engine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    dry: tuple[str, ...],
) -> None:
    run(*FARM)
    probes, tokens = tmp_path / "probes.csv", tmp_path / "tokens.csv"
    probes.write_text("id,kind\n" + "".join(f"probe-{one},soil-probe\n" for one in range(200)))
    words = ("import", probes, "--farm", "steppe", *dry, "--tokens")

    nowhere = run(*words, tmp_path / "nowhere" / "tokens.csv")
    there = run(*words, probes)
    twice = run("import", probes, probes.with_name("more.csv"), *words[2:], tokens,
                "--kind", "devices")  # fmt: skip
    monkeypatch.setattr(csv.DictWriter, "writerows", _disk_is_full)
    full = run(*words, tokens)

    assert [one.exit_code for one in (nowhere, there, twice, full)] == [1, 1, 1, 1]
    assert "nowhere/tokens.csv: No such file or directory" in " ".join(nowhere.stdout.split())
    assert "is there already" in there.stderr
    assert "one table of devices, and 2 was named" in twice.stderr
    assert "No space left on device" in full.stdout
    assert not tokens.exists()
    with empty_engine.connect() as connection:
        for table in (tables.devices, tables.device_credentials):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def _disk_is_full(writer: object, rows: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_dry_run_of_files_that_name_one_another_says_what_the_real_one_does(
    run: Run, empty_engine: sa.Engine, tmp_path: Path
) -> None:
    run(*FARM)
    crops, water = tmp_path / "crops.csv", tmp_path / "water.csv"
    crops.write_text(
        "field,season,crop,planted,harvested,crop_parameters\n"
        'west,2025,cotton,2025-04-20,2025-09-30,"{""name"": ""cotton""}"\n'
    )
    water.write_text("field,started_at,ended_at,volume_m3\nwest,1.6.2025 6:00,1.6.2025 7:00,25\n")
    words = ("import", geojson(tmp_path, west=square()), crops, water, "--farm", "steppe", "--json")

    tried = run(*words, "--dry-run")
    with empty_engine.connect() as connection:
        left = [
            connection.scalar(sa.select(sa.func.count()).select_from(one))
            for one in (tables.fields, tables.crop_zones, tables.irrigation_events)
        ]
    done = run(*words)

    assert (tried.exit_code, done.exit_code) == (0, 0), tried.output
    assert left == [0, 0, 0]
    assert json.loads(tried.stdout) == json.loads(done.stdout)
    assert [one for one in deeds(empty_engine) if one[1].endswith("import")] == [
        (f"console:{getpass.getuser()}", action)
        for action in ("field.import", "records.import", "records.import")
    ]


def test_a_wrong_profile_of_one_probe_keeps_all_out(
    run: Run, empty_engine: sa.Engine, tmp_path: Path
) -> None:
    run(*FARM)
    probes = tmp_path / "probes.csv"
    probes.write_text(
        "wire_id,kind,profile\n"
        "lora:a840410000000001,soil-probe,milesight-em500-smtc\n"
        "lora:a840410000000002,soil-probe,em500-smtc\n"
    )

    refused = run("import", probes, "--farm", "steppe")
    probes.write_text(probes.read_text().replace(",em500", ",milesight-em500"))
    kept = run("import", probes, "--farm", "steppe")

    assert (
        "line 3: no profile is called 'em500-smtc'. Is it milesight-em500-smtc?" in refused.stdout
    )
    assert kept.exit_code == 0, kept.output  # no tokens: their network speaks for them
    with empty_engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.devices)) == 2
        assert audit.page(connection, limit=1)
