"""Alerts and strangers are told in words that say what to do."""

import datetime as dt
import io
import json
from typing import Any

import pytest
from rich.console import Console

from reports.alert_words import as_document
from reports.messages import LANGUAGES
from reports.printing_alerts import print_alerts, print_unknown
from storage.alerts import KINDS, Alert
from storage.unknown import OTHERS, Unknown

NOON = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)


def alert(kind: str, **details: Any) -> Alert:
    subject = f"device:{details['device']}"
    return Alert(7, kind, subject, 1, details, NOON, None, None, None)


def printed(*alerts: Alert, timezone: str = "UTC", **options: Any) -> str:
    out = io.StringIO()
    print_alerts(alerts, Console(file=out, width=300), zones={1: timezone}, **options)
    return out.getvalue()


SILENT = alert(
    "silent",
    device="probe-7",
    newest_reading="2025-06-15T09:50:00+00:00",
    expected_interval_s=600,
)


def test_silence_names_the_newest_reading_in_the_farms_time_and_says_whose_time_that_is() -> None:
    text = printed(SILENT, timezone="Asia/Almaty")  # UTC+5

    assert "probe-7" in text
    assert "the newest reading is of 15 June 2025, 14:50; one was expected every 10 min" in text
    assert "Look at its battery" in text
    assert "2025-06-15 17:00" in text  # when it was noticed
    assert "Times of Asia/Almaty." in text


def test_alerts_of_several_farms_are_told_each_in_its_own_time() -> None:
    west = SILENT._replace(id=8, farm_id=2)
    out = io.StringIO()

    zones = {1: "Asia/Almaty", 2: "Europe/Istanbul"}  # UTC+5, UTC+3
    print_alerts([SILENT, west], Console(file=out, width=300), zones=zones)

    assert "14:50" in out.getvalue()
    assert "12:50" in out.getvalue()
    assert "Times of each farm: Asia/Almaty, Europe/Istanbul." in out.getvalue()


def test_missing_messages_are_counted_and_their_numbers_told() -> None:
    few = alert(
        "sequence-gap", device="a", boot=3, missing=[[3, 4], [7, 7]], missing_messages=3,
        boot_is_over=True,
    )  # fmt: skip
    many = alert(
        "sequence-gap", device="b", boot=1, missing=[[n, n] for n in (2, 4, 6, 8, 10)],
        missing_messages=5, boot_is_over=False,
    )  # fmt: skip

    text = printed(few, many)

    over = (
        "3 numbered messages never came: no. 3–4, 7 of boot 3; the device has started anew since."
    )
    assert over in text
    assert "5 numbered messages never came: no. 2, 4, 6, 8 … of boot 1." in text


def gap(quantity: str, start: int, end: int) -> dict[str, Any]:
    times = {"from": f"2025-06-15T0{start}:00:00+00:00", "to": f"2025-06-15T0{end}:00:00+00:00"}
    return {"datastream": 1, "quantity": quantity, "longest_s": 1800} | times


GAPS = [gap("rain", 5, 6), gap("soil_moisture", 2, 4), gap("rain", 7, 9)]


def test_gaps_are_told_from_first_to_last() -> None:
    text = printed(alert("gap", device="a", gaps=GAPS, more=2))

    expected = "5 gaps in the readings between 15 June 2025, 02:00 and 15 June 2025, 09:00"
    assert f"{expected}: rain, soil moisture." in text


LOST = alert(
    "messages-lost", device="a", boot=3, lost=[[4, 9]], lost_messages=6,
    after="2025-06-15T01:00:00+00:00", before="2025-06-15T07:00:00+00:00",
)  # fmt: skip


def test_a_loss_is_told_with_its_count_and_the_readings_around_it() -> None:
    def without(*names: str) -> Alert:
        return LOST._replace(details=LOST.details | dict.fromkeys(names))

    said = "The device lost 6 messages before they were stored, and says so: no. 4–9 of boot 3"
    whole = f"{said}, between 15 June 2025, 01:00 and 15 June 2025, 07:00."
    assert whole in printed(LOST)
    assert f"{said}, after 15 June 2025, 01:00." in printed(without("before"))
    assert f"{said}." in printed(without("before", "after"))


EXAMPLES = {
    "silent": SILENT,
    "gap": alert("gap", device="a", gaps=GAPS),
    "sequence-gap": alert(
        "sequence-gap", device="a", boot=3, missing=[[3, 4]], missing_messages=2, boot_is_over=False
    ),
    "messages-lost": LOST,
    "low-battery": alert(
        "low-battery",
        device="a",
        voltage_v=11.62,
        low_voltage_v=11.7,
        time="2025-06-15T09:50:00+00:00",
    ),
    "refill-line": alert(
        "refill-line",
        device=None,
        field="North",
        crop="cotton",
        day="2025-06-14",
        depletion_mm=61.4,
        refill_line_mm=58.0,
    ),
    "flow-valve-shut": alert(
        "flow-valve-shut", device="a", since="2025-06-15T09:50:00+00:00", flow_m3_h=12.25
    ),
    "no-flow-valve-open": alert(
        "no-flow-valve-open", device="a", since="2025-06-15T09:50:00+00:00", flow_m3_h=0.0
    ),
    "frost": alert(
        "frost",
        device="a",
        measured=False,
        forecast_c=-1.5,
        forecast_day="2025-06-16",
        source="Kazhydromet",
        limit_c=1.0,
    ),
    "implausible": alert(
        "implausible",
        device="a",
        quantity="soil_moisture",
        readings=96,
        share_pct=31.3,
        window_h=24.0,
    ),
    "machine-outside": alert(
        "machine-outside",
        device="a",
        distance_m=412,
        outside_s=367,
        time="2025-06-15T09:50:00+00:00",
    ),
}
SAID = {
    "low-battery": "The battery has 11.6 V (15 June 2025, 14:50); at 11.7 V it is low.",
    "refill-line": "North, cotton: the root zone lacks 61.4 mm of water on 14 June; "
    "irrigation is due at 58.0 mm.",
    "flow-valve-shut": "Water runs at 12.2 m³/h since 15 June 2025, 14:50 though",
    "no-flow-valve-open": "A valve is open since 15 June 2025, 14:50, and only 0.0 m³/h run.",
    "frost": "Frost is coming: -1.5 °C on 16 June, forecast by Kazhydromet",
    "implausible": "soil moisture: of 96 readings within 1 d, 31 % cannot be right",
    "machine-outside": "Works outside every field for 6 min: 412 m from the nearest at 15 June",
}


@pytest.mark.parametrize("kind", SAID)
def test_a_rule_says_what_it_saw(kind: str) -> None:
    assert SAID[kind] in as_document(EXAMPLES[kind], "en", "Asia/Almaty")["text"]


def test_a_level_and_a_measured_frost_have_words_of_their_own() -> None:
    at = "2025-06-15T09:50:00+00:00"
    level = alert("low-battery", device="a", level_pct=14.0, low_level_pct=20.0, time=at)
    frost = alert("frost", device="a", measured=True, temperature_c=-0.4, limit_c=1.0, time=at)

    assert "at 14 % (15 June 2025, 14:50); at 20 % it is low" in printed(
        level, timezone="Asia/Almaty"
    )
    assert "Frost: -0.4 °C at 15 June 2025, 09:50" in printed(frost)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_alert_has_words_in_every_language(kind: str) -> None:
    told = [as_document(EXAMPLES[kind], language, "Asia/Almaty") for language in LANGUAGES]

    for field in ("text", "action_text"):
        texts = [one[field] for one in told]
        assert len(set(texts)) == len(LANGUAGES)  # none stands in for another
        assert all("{" not in text for text in texts)
    assert len({json.dumps(one["message"]) for one in told}) == 1  # the key is of no language
    cyrillic = set("ығәіңғүұқөһ")
    assert cyrillic & set(told[2]["text"].lower())  # Kazakh letters that Russian has not


def test_a_document_is_json_with_times_of_utc_and_words_of_the_farms_clock() -> None:
    told = json.loads(json.dumps(as_document(SILENT, "ru", "Asia/Almaty")))

    assert told["opened_at"] == "2025-06-15T12:00:00Z"
    assert told["text"].startswith("Молчит: последнее показание — 15 июня 2025 г., 14:50")
    assert (told["severity"], told["language"]) == ("warning", "ru")
    assert told["timezone"] == "Asia/Almaty"


def test_nothing_open_says_so_in_the_language_asked_for() -> None:
    assert "Nothing is open" in printed()
    assert "There was never an alert" in printed(ever=True)
    assert "Открытых нет" in printed(language="ru")


def test_a_list_that_is_full_says_how_to_see_more() -> None:
    assert "The newest 1 are shown" in printed(SILENT, limit=1)
    assert "are shown" not in printed(SILENT, limit=2)


def test_names_of_strangers_are_text_and_a_crowd_is_explained() -> None:
    out = io.StringIO()
    strangers = [
        Unknown("[red]probe[/red]", "dala/v1/[b]x/senml", 1_234_567, NOON, NOON),
        Unknown(OTHERS, "x", 9, NOON, NOON),
    ]

    print_unknown(strangers, Console(file=out, width=160))

    assert "[red]probe[/red]" in out.getvalue()
    assert "dala/v1/[b]x/senml" in out.getvalue()
    assert "1\u202f234\u202f567" in out.getvalue()
    assert "somebody may be inventing them" in out.getvalue()
    assert "dala claim IDENTITY" in out.getvalue()
