"""Verbs that show what was computed of a farm, or enter what its figures need."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.speaking import AsJson, Farm, Season, enter, fail, lines, moment, report, say, trouble

if TYPE_CHECKING:
    import sqlalchemy as sa


def summary(farm: Farm, season: Season = None, as_json: AsJson = False) -> None:
    """Print what a season brought a farm: water, savings, yield, devices."""
    from reports import printing
    from reports import summary as reports

    now = dt.datetime.now(dt.UTC)
    report(
        "summary",
        farm,
        lambda connection: reports.of_farm(connection, farm, season=season, now=now),
        printing.print_summary,
        as_json=as_json,
    )


def advice(
    farm: Farm,
    day: Annotated[
        str | None, typer.Option(help="As 2025-07-01; the farm's today by default.")
    ] = None,
    forecast: Annotated[
        Path | None, typer.Option(help="Daily weather expected, CSV; wind at 10 m.")
    ] = None,
    language: Annotated[Literal["en", "ru", "kk"], typer.Option(help="Of the words.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Say whether, when and how much to irrigate each field this week, and why."""
    from reports import advice as reports
    from reports.forecast_files import read_forecast
    from reports.printing_advice import print_advice

    given = None
    try:
        chosen = None if day is None else dt.date.fromisoformat(day)
        if forecast is not None:
            given = read_forecast(lines(forecast), forecast.name)
    except (OSError, ValueError) as error:
        fail(trouble(error))
    name = "" if forecast is None else forecast.name
    asked = reports.Question(dt.datetime.now(dt.UTC), chosen, forecast=given, forecast_name=name)

    def of_farm(connection: sa.Connection) -> Any:
        try:
            return reports.in_words(reports.of_farm(connection, farm, asked), language)
        except reports.DayAhead as error:
            fail(trouble(error))

    report("advice", farm, of_farm, print_advice, as_json=as_json)


def work(
    farm: Farm,
    season: Annotated[
        int | None, typer.Option(help="Calendar year; that of the newest work by default.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First day, as 2025-05-01; local to the farm.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, included.")] = None,
    lsu: Annotated[
        float | None, typer.Option(min=0.001, help="Livestock units of one animal of the herd.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what machines, drones and herds did: work on fields, fuel, flights, grazing."""
    from reports import printing_work
    from reports import work as reports

    try:
        period = reports.period_of(first, last, season)
    except ValueError as error:
        fail(trouble(error))
    report(
        "work",
        farm,
        lambda connection: reports.of_farm(
            connection, farm, period=period, season=season, livestock_units=lsu
        ),
        printing_work.print_work,
        as_json=as_json,
    )


def forecast(
    farm: Farm,
    file: Annotated[Path, typer.Argument(help="Daily weather expected, CSV; wind at 10 m.")],
    source: Annotated[str, typer.Option(help="Who forecast it.")],
    issued_at: Annotated[str | None, typer.Option(help="RFC 3339; now by default.")] = None,
) -> None:
    """Keep a weather forecast for the farm's advice; each day takes the newest that has it."""
    from reports.forecast_files import import_forecast
    from storage import farms

    try:
        expected, issued = lines(file), moment("--issued-at", issued_at)
    except (OSError, ValueError) as error:
        fail(trouble(error))

    def keep(connection: sa.Connection) -> int:
        known = farms.get(connection, farm)
        return import_forecast(
            connection, known, expected, file.name, issued_at=issued, source=source
        )

    days = enter("forecast", keep, "Not kept")
    say(f"{days} days of the forecast by {source} are kept, issued {issued:%Y-%m-%d %H:%M %Z}.")


def adjust(
    farm: Farm,
    field: Annotated[str, typer.Argument(help="Name of the field, e.g. field-1.")],
    season: Annotated[int, typer.Option(help="Year of harvest.")],
    reason: Annotated[str, typer.Option(help="What changed beside the practice that is judged.")],
    author: Annotated[str, typer.Option(help="Who says so.")],
    volume_m3: Annotated[
        float, typer.Option(help="Added to the adjusted baseline; negative lowers it.")
    ],
    u_m3: Annotated[float, typer.Option(min=0, help="Its standard uncertainty.")],
    crop: Annotated[
        str | None, typer.Option(help="Needed where the field has several in the season.")
    ] = None,
) -> None:
    """Enter a non-routine adjustment of a field's baseline, with its reason and author."""
    from reports import adjusting

    number = enter(
        "adjust",
        lambda connection: adjusting.enter(
            connection, farm, field, season=season, volume_m3=volume_m3, u_m3=u_m3,
            reason=reason, author=author, crop=crop,
        ),
        "Not entered",
    )  # fmt: skip
    say(f"Adjustment {number} is entered. Next: dala analyze --farm {farm}")


def withdraw(
    number: Annotated[int, typer.Argument(help="Of the adjustment, as `dala summary` has it.")],
    author: Annotated[str, typer.Option(help="Who withdraws it.")],
) -> None:
    """Withdraw a non-routine adjustment; it stays on record with who entered and withdrew it."""
    from reports import adjusting

    def take_back(connection: sa.Connection) -> int:
        adjusting.withdraw(connection, number, author=author)
        return number

    enter("withdraw", take_back, "Not withdrawn")
    say(f"Adjustment {number} is withdrawn. Next: dala analyze")
