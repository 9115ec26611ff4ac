"""What an operator writes about topics of his own, and how it reads their messages."""

import pytest

from ingest.codecs import BUILT_IN
from ingest.mapping import MappingError, MappingSettings, load, registry
from storage.readings import Quality
from tests.ingest.mapped import NOW_US, SECOND_US, WEATHER, reasons, values


def test_a_level_names_the_device_and_a_path_the_value(reads):
    decoded = reads(WEATHER, "farm/7/weather", {"temp": 21.5, "time": "2026-07-01T05:00:00Z"})

    (reading,) = decoded.readings
    assert decoded.device == reading.device == "wx-7"
    assert (reading.quantity, reading.value) == ("air_temperature", 21.5)
    assert (reading.time, reading.time_source, reading.quality) == (SECOND_US, "device", 0)


def test_the_payload_may_name_the_device(reads):
    mapping = """
        [[topics]]
        pattern = "gateway/up"
        device = "probe:$0"
        device_path = "station.id"
        [[topics.readings]]
        path = "/soil/0/vwc"
        quantity = "soil_moisture"
        unit = "%"
        depth_cm = 20
        channel = 3
    """
    document = {"station": {"id": 17}, "soil": [{"vwc": "31.5"}]}

    decoded = reads(mapping, "gateway/up", document)

    assert decoded.device == "probe:17"
    assert values(decoded) == {("soil_moisture", 20.0, 3): 0.315}
    assert {(r.time, r.quality) for r in decoded.readings} == {(NOW_US, Quality.SERVER_TIME)}
    assert reasons(reads(mapping, "gateway/up", {"soil": []})) == ["no-device"]
    assert reasons(reads(mapping, "gateway/up", {"station": {"id": ""}})) == ["no-device"]
    assert reasons(reads(mapping, "gateway/up", {"station": {"id": True}})) == ["no-device"]


@pytest.mark.parametrize(
    ("form", "written", "expected_us"),
    [
        ("rfc3339", "2026-07-01T10:00:00.5+05:00", SECOND_US + 500_000),
        ("epoch-s", 1_782_882_000, SECOND_US),
        ("epoch-s", 1_782_882_000.25, SECOND_US + 250_000),
        ("epoch-s", "1782882000", SECOND_US),
        ("epoch-ms", 1_782_882_000_125, SECOND_US + 125_000),
        ("local", "2026-07-01T10:00:00", SECOND_US),
        ("local", "2026-07-01 10:00", SECOND_US),
        ("local %d.%m.%Y %H:%M:%S", "01.07.2026 10:00:00", SECOND_US),
        ("local %d/%m/%y %I:%M %p", "01/07/26 10:00 AM", SECOND_US),
    ],
)
def test_times_are_read_as_the_mapping_says(reads, form, written, expected_us):
    mapping = WEATHER.replace(
        'time = "time"', f'time = "time"\ntime_format = "{form}"\ntimezone = "Asia/Almaty"'
    )

    decoded = reads(mapping, "farm/7/weather", {"temp": 1, "time": written})

    assert [r.time for r in decoded.readings] == [expected_us]


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("rfc3339", "2026-07-01T10:00:00"),  # no offset
        ("rfc3339", 1_782_882_000),
        ("epoch-s", "soon"),
        ("epoch-s", True),
        ("epoch-s", -1),
        ("epoch-ms", 1e300),
        ("local", "2026-07-01T10:00:00Z"),  # is rfc3339
        ("local %d.%m.%Y %H:%M", "2026-07-01 10:00"),
        ("epoch-s", None),
    ],
)
def test_a_time_that_is_none_refuses_the_record(reads, form, written):
    mapping = WEATHER.replace(
        'time = "time"', f'time = "time"\ntime_format = "{form}"\ntimezone = "Asia/Almaty"'
    )

    decoded = reads(mapping, "farm/7/weather", {"temp": 1, "time": written})

    assert (decoded.device, decoded.readings, reasons(decoded)) == ("wx-7", [], ["bad-time"])
    assert reasons(reads(mapping, "farm/7/weather", {"temp": 1})) == ["bad-time"]


def test_local_time_without_a_zone_takes_the_devices_and_guesses_none(reads):
    mapping = WEATHER.replace('time = "time"', 'time = "time"\ntime_format = "local"')
    document = {"temp": 1, "time": "2026-07-01T10:00:00"}

    unknown = reads(mapping, "farm/7/weather", document)
    known = reads(mapping, "farm/7/weather", document, timezone="Asia/Almaty")

    assert reasons(unknown) == ["no-timezone"]
    assert [r.time for r in known.readings] == [SECOND_US]


@pytest.mark.parametrize(
    ("quantity", "unit", "written", "expected"),
    [
        ("air_temperature", "F", 72.5, 22.5),
        ("air_pressure", "hPa", 1013.25, 101.325),
        ("wind_speed", "km/h", 36, 10.0),
        ("wind_speed", "mph", 10, 4.4704),
        ("rain", "in", 1, 25.4),
        ("soil_ec", "µS/cm", 450, 0.45),
        ("soil_moisture", "%", 30, 0.3),
        ("soil_moisture", "m3/m3", 0.3, 0.3),
        ("water_total", "L", 1500, 1.5),
        ("valve_open", None, "open", 1.0),
        ("valve_open", None, False, 0.0),
        ("soil_temperature", None, "24.59 °C", 24.59),
    ],
)
def test_units_are_those_that_people_write(reads, quantity, unit, written, expected):
    mapping = f"""
        [[topics]]
        pattern = "x"
        device = "d"
        [[topics.readings]]
        path = "v"
        quantity = "{quantity}"
    """ + (f'unit = "{unit}"' if unit else "")

    (reading,) = reads(mapping, "x", {"v": written}).readings

    assert reading.value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b'{"temp": NaN, "time": "2026-07-01T05:00:00Z"}', "value-not-finite"),
        (b'{"temp": -Infinity, "time": "2026-07-01T05:00:00Z"}', "value-not-finite"),
        ({"temp": "NaN", "time": "2026-07-01T05:00:00Z"}, "value-not-finite"),
        ({"temp": "warm", "time": "2026-07-01T05:00:00Z"}, "not-a-number"),
        ({"temp": [1], "time": "2026-07-01T05:00:00Z"}, "not-a-number"),
        ({"temp": "5 hPa", "time": "2026-07-01T05:00:00Z"}, "wrong-unit"),
        (b"nothing", "not-json"),
    ],
)
def test_a_value_that_is_none_says_why(reads, document, expected):
    decoded = reads(WEATHER, "farm/7/weather", document)

    assert (decoded.device, decoded.readings, reasons(decoded)) == ("wx-7", [], [expected])


@pytest.mark.parametrize("name", ["a\x00b", "\ud800", "line\nbreak", "", True, None, 1.5, ["a"]])
def test_a_name_that_no_device_can_have_is_refused(reads, name):
    mapping = WEATHER.replace('device = "wx-$1"', 'device = "wx-$0"\ndevice_path = "id"')
    document = {"id": name, "temp": 1, "time": "2026-07-01T05:00:00Z"}

    decoded = reads(mapping, "farm/7/weather", document)

    assert (decoded.readings, reasons(decoded)) == ([], ["no-device"])


def test_names_of_any_script_are_names(reads):
    mapping = WEATHER.replace('device = "wx-$1"', 'device = "wx-$0"\ndevice_path = "id"')
    document = {"id": "станция 7", "temp": 1, "time": "2026-07-01T05:00:00Z"}

    assert reads(mapping, "farm/7/weather", document).device == "wx-станция 7"


def test_a_zone_alone_makes_no_time(reads):
    mapping = WEATHER.replace('time = "time"', 'timezone = "Asia/Almaty"')

    assert [r.time for r in reads(mapping, "farm/7/weather", {"temp": 1}).readings] == [NOW_US]


def test_what_is_missing_or_null_was_not_measured(reads):
    decoded = reads(WEATHER, "farm/7/weather", {"temp": None, "time": "2026-07-01T05:00:00Z"})

    assert (decoded.readings, decoded.rejected) == ([], [])
    assert decoded.ignored


def test_records_of_a_list_have_a_time_each(reads):
    mapping = WEATHER.replace(
        'time = "time"', 'time = "t"\ntime_format = "epoch-s"\nrecords = "log"'
    )
    records = [
        {"t": 1_782_882_000, "temp": 1},
        {"t": "x", "temp": 2},
        {"t": 1_782_882_010, "temp": 3},
    ]

    decoded = reads(mapping, "farm/7/weather", {"log": records})
    none = reads(mapping, "farm/7/weather", {"log": 5})

    assert [(r.time, r.value) for r in decoded.readings] == [
        (SECOND_US, 1.0),
        (SECOND_US + 10_000_000, 3.0),
    ]
    assert [r.detail.split(":")[0] for r in decoded.rejected] == ["record 1"]
    assert reasons(none) == ["bad-message"]
    many = reads(mapping, "farm/7/weather", {"log": [{}] * 10_001})
    assert reasons(many) == ["too-many-records"]


def test_a_list_may_be_the_whole_payload(reads):
    mapping = WEATHER.replace('time = "time"', 'records = ""')

    assert len(reads(mapping, "farm/7/weather", [{"temp": 1}, {"temp": 2}]).readings) == 2


def test_an_operators_route_goes_before_those_built_in(tmp_path):
    path = tmp_path / "mappings.toml"
    path.write_text(WEATHER.replace("farm/+/weather", "tele/+/SENSOR"))

    routes = registry(MappingSettings(mappings=path))

    assert routes.subscriptions[0] == "tele/+/SENSOR"
    decoded = routes.decode("tele/7/SENSOR", b"{}", received_at_us=NOW_US)
    assert decoded.device == "wx-7"
    assert set(BUILT_IN.subscriptions) <= set(routes.subscriptions)


def test_without_a_mapping_there_are_the_routes_built_in(monkeypatch):
    monkeypatch.delenv("DALA_MAPPINGS", raising=False)

    assert registry().subscriptions == BUILT_IN.subscriptions


def test_the_environment_names_the_file(monkeypatch, tmp_path):
    path = tmp_path / "mappings.toml"
    path.write_text(WEATHER)
    monkeypatch.setenv("DALA_MAPPINGS", str(path))

    assert registry().subscriptions[0] == "farm/+/weather"


def test_a_file_that_is_not_there_or_no_toml_is_named(tmp_path, refusal):
    with pytest.raises(MappingError, match=r"nowhere\.toml: No such file"):
        load(tmp_path / "nowhere.toml")
    assert refusal("[[topics").startswith("FILE: not valid TOML")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('quantity = "air_temperature"', 'quantity = "warmth"',
         "topics 1, readings 1, quantity: 'warmth' is none of: air_pressure"),
        ('unit = "°C"', 'unit = "furlong"', "topics 1, readings 1, unit: 'furlong' is not known"),
        ('unit = "°C"', 'unit = "hPa"', "topics 1, readings 1, unit: air_temperature is stored in"),
        ('unit = "°C"', "depth_cm = -5", "topics 1, readings 1, depth_cm: "),
        ('unit = "°C"', "channel = 1.5", "topics 1, readings 1, channel: "),
        ('unit = "°C"', "scale = 2", "topics 1, readings 1, scale: Extra inputs"),
        ('path = "temp"', "", "topics 1, readings 1, path: Field required"),
        ('device = "wx-$1"', 'device = "wx-$2"', "topics 1, device: $2 is no level"),
        ('device = "wx-$1"', 'device = "wx-$"', "topics 1, device: $ is no level"),
        ('device = "wx-$1"', 'device = "wx-$0"', "topics 1: device has $0"),
        ('device = "wx-$1"', "", "topics 1: device is missing"),
        ("farm/+/weather", "farm/a+/weather", "topics 1, pattern: + stands for a whole level"),
        ("farm/+/weather", "farm/#/weather", "topics 1, pattern: + stands for a whole level"),
        ("farm/+/weather", "$SYS/+", "topics 1, pattern: begins with $"),
        ("farm/+/weather", "#", "topics 1, pattern: takes in dala/v1"),
        ("farm/+/weather", "dala/+/+/senml", "topics 1, pattern: takes in dala/v1"),
        ('time = "time"', 'time = "t"\ntime_format = "unix"', "topics 1, time_format: 'unix' is"),
        ('time = "time"', 'time = "t"\ntime_format = "local %H:%M"',
         "topics 1, time_format: '%H:%M' does not say the whole date"),
        ('time = "time"', 'timezone = "Asia/Alma-Ata"', "topics 1, timezone: 'Asia/Alma-Ata' is"),
        ('time = "time"', 'format = "ttn"', "topics 1: device means nothing in format 'ttn'"),
        ('time = "time"', 'format = "xml"', "topics 1, format: Input should be 'json'"),
        ('time = "time"', "device_path = 5", "topics 1, device_path: Input should be"),
    ],
)  # fmt: skip
def test_a_mapping_that_makes_no_sense_is_named_by_table_and_key(refusal, old, new, expected):
    assert old in WEATHER

    assert f"FILE: {expected}" in refusal(WEATHER.replace(old, new))


def test_every_fault_of_a_mapping_is_named_at_once(refusal):
    said = refusal(WEATHER.replace("°C", "hPa").replace('"time"', "5"))

    assert len(said.splitlines()) == 2


def test_two_tables_that_say_the_same_are_refused(refusal):
    twice = WEATHER + '[[topics.readings]]\npath = "t2"\nquantity = "air_temperature"'

    assert "topics 1: readings 1 and 2 are one datastream" in refusal(twice)
    assert "topics 1 and 2 have one pattern" in refusal(WEATHER + WEATHER)
    assert "topics: Field required" in refusal("")
    assert "topics 1: readings are missing" in refusal('[[topics]]\npattern = "x"\ndevice = "d"')
