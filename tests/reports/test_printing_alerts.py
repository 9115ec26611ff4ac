"""Alerts and strangers are told in words that say what to do."""

import datetime as dt
import io
from typing import Any

from rich.console import Console

from reports.printing_alerts import print_alerts, print_unknown
from storage.alerts import Alert
from storage.unknown import OTHERS, Unknown

NOON = dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC)


def alert(kind: str, **details: Any) -> Alert:
    subject = f"device:{details['device']}"
    return Alert(7, kind, subject, 1, details, NOON, None, None, None)


def printed(*alerts: Alert, timezone: str = "UTC") -> str:
    out = io.StringIO()
    print_alerts(alerts, Console(file=out, width=200), timezone=timezone)
    return out.getvalue()


def test_silence_names_the_newest_reading_in_the_farms_time() -> None:
    one = alert(
        "silent",
        device="probe-7",
        newest_reading="2025-06-15T09:50:00+00:00",
        expected_interval_s=600,
    )

    text = printed(one, timezone="Asia/Almaty")  # UTC+5

    assert "probe-7" in text
    assert "silent: newest reading of 2025-06-15 14:50, expected every 10 min" in text
    assert "2025-06-15 17:00" in text  # when it was noticed


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

    assert "3 messages of boot 3 never came: 3–4, 7; the device has started anew since" in text
    assert "5 messages of boot 1 never came: 2, 4, 6, 8 and more" in text


def test_gaps_are_told_from_first_to_last() -> None:
    def gap(quantity: str, start: int, end: int) -> dict[str, Any]:
        times = {"from": f"2025-06-15T0{start}:00:00+00:00", "to": f"2025-06-15T0{end}:00:00+00:00"}
        return {"datastream": 1, "quantity": quantity, "longest_s": 1800} | times

    gaps = [gap("rain", 5, 6), gap("soil_moisture", 2, 4), gap("rain", 7, 9)]

    text = printed(alert("gap", device="a", gaps=gaps, more=2))

    assert "5 gaps between 2025-06-15 02:00 and 2025-06-15 09:00: rain, soil_moisture" in text


def test_nothing_open_says_so() -> None:
    assert "Nothing is open" in printed()


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
