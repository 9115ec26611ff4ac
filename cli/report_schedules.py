"""Verbs for reports that file themselves."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.report_subscriptions import Client, Number, app, behalf_of, note
from cli.reporting import OfFarm, Region, with_database
from cli.speaking import author, fail, print_table, say

if TYPE_CHECKING:
    import sqlalchemy as sa

    from storage.schedules import Schedule

__all__ = ["app"]

Kind = Literal["water", "savings", "yields", "harvest", "programme"]
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@app.command()
def schedule(
    kind: Annotated[Kind, typer.Argument(help="Of the report.")],
    region: Region = None,
    farm: OfFarm = None,
    every: Annotated[Literal["day", "week", "month"], typer.Option(help="How often.")] = "day",
    on: Annotated[
        str | None,
        typer.Option(
            help="Of a week: monday … sunday. Of a month: 1 … 31, or its last if shorter."
        ),
    ] = None,
    at: Annotated[str, typer.Option(help="Local time.")] = "06:00",
    timezone: Annotated[str, typer.Option(help="Whose clocks count.")] = "Asia/Almaty",
    first: Annotated[
        str | None, typer.Option("--from", help="First day of the year's part, as 07-01.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, included: 11-30.")] = None,
    season: Annotated[
        str, typer.Option(help="this-year, last-year, or a year of harvest.")
    ] = "this-year",
    client: Client = None,
) -> None:
    """File a report by itself each day, week or month, as long as its author may.

    It is carried out by `dala watch`. The bulletin of every morning in harvest:

    dala report schedule harvest --region KZ --from 07-01 --to 11-30
    """
    from reports.statements import areas, scheduled
    from reports.statements.due import Cadence
    from storage import schedules

    try:
        time = dt.time.fromisoformat(at)
        cadence = Cadence(every, time, timezone, _day(every, on), first, last)
        cadence.check()
        _check_season(season)
    except ValueError as error:
        fail(f"Not scheduled: {error}.")

    def enter(connection: sa.Connection) -> Schedule:
        farm_id = areas.placed(connection, farm=farm, area=region)
        whose = behalf_of(
            connection, client, "write:reports", farm=farm, region=region, everything=True
        )
        added = schedules.add(
            connection,
            kind=kind,
            farm_id=farm_id,
            area_code=region,
            season=season,
            behalf=whose,
            by=author() if client is None else f"client:{client}",
            **scheduled.as_columns(cadence),
        )
        details = {"kind": kind, "area": region, "farm": farm, "season": season}
        details |= {name: str(value) for name, value in cadence._asdict().items()}
        note(connection, "report-schedule.create", added.id, farm_id, details)
        return added

    added = with_database(enter, "Not scheduled")
    say(f"Schedule {added.id}: next due at {_local(added)}, carried out by `dala watch`.")


@app.command("schedules")
def list_schedules() -> None:
    """Print which reports file themselves, when next, and what went wrong last."""
    from storage import schedules

    rows = [
        [
            str(one.id),
            one.kind,
            one.farm or one.area_code,
            one.season,
            _how_often(one),
            _local(one),
            f"{one.number}, {one.revision}" if one.number else "",
            one.created_by,
            one.last_error or "",
        ]
        for one in with_database(schedules.standing, "Not listed")
    ]
    columns = ("number", "kind", "of", "season", "every", "next due", "filed last", "by", "error")
    print_table(
        columns, rows, "No report files itself: `dala report schedule harvest --region KZ`."
    )


@app.command()
def unschedule(number: Number) -> None:
    """File it no more; what it filed stays."""
    from storage import schedules

    def enter(connection: sa.Connection) -> None:
        farm_id = schedules.get(connection, number).farm_id
        schedules.end(connection, number, by=author())
        note(connection, "report-schedule.end", number, farm_id, {})

    with_database(enter, "Not ended")
    say(f"Schedule {number} is ended.")


def _day(every: str, on: str | None) -> int | None:
    if on is None:
        return None
    if every == "week":
        named = [number for number, name in enumerate(DAYS, 1) if name.startswith(on.lower())]
        if len(named) == 1 and len(on) >= 2:
            return named[0]
        raise ValueError(f"--on {on!r} is no day of the week: {', '.join(DAYS)}")
    if not on.isdecimal():
        raise ValueError(f"--on {on!r} is no day of the month: 1 to 31")
    return int(on)


def _check_season(season: str) -> None:
    is_year = season.isdecimal() and 1990 <= int(season) <= 2100
    if season not in {"this-year", "last-year"} and not is_year:
        raise ValueError(f"--season {season!r} is none: this-year, last-year, or a year")


def _how_often(one: Schedule) -> str:
    on = ""
    if one.on_day is not None:
        on = f", {DAYS[one.on_day - 1]}" if one.every == "week" else f", {one.on_day}."
    part = f", {one.first_day} to {one.last_day}" if one.first_day else ""
    return f"{one.every}{on}, {one.at:%H:%M}{part}"


def _local(one: Schedule) -> str:
    from zoneinfo import ZoneInfo

    from reports.statements import scheduled

    due = scheduled.next_due(one)
    if due is None:
        return "never"
    return f"{due.astimezone(ZoneInfo(one.timezone)):%Y-%m-%d %H:%M} {one.timezone}"
