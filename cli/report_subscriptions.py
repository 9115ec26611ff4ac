"""Verbs for who is told of reports, and what became of the messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.report_evidence import app
from cli.reporting import OfFarm, Region, with_database
from cli.speaking import author, fail, print_table, say

if TYPE_CHECKING:
    import sqlalchemy as sa

    from storage.behalf import Behalf

__all__ = ["app"]

Client = Annotated[
    str | None,
    typer.Option(help="Of the API, by whose rights it is done; else by those of the console."),
]
Number = Annotated[int, typer.Argument(min=1, help="As the list has it.")]
Status = Annotated[
    Literal["pending", "sent", "given-up"] | None, typer.Option(help="Those of one status alone.")
]


@app.command()
def subscribe(
    url: Annotated[str, typer.Argument(help="https://… that reports are told to.")],
    region: Region = None,
    farm: OfFarm = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="Of which kinds; may be repeated. All by default.")
    ] = None,
    client: Client = None,
) -> None:
    """Tell a webhook of reports of an area with all that lies in it, or of a farm, when filed.

    Prints the secret that messages are signed with, once: docs/reports.md, "Webhooks".
    """
    from reports.notices import NoticeSettings, check_url, make_secret
    from reports.statements import areas
    from reports.statements.kinds import KINDS
    from storage import deliveries, subscriptions

    secret = make_secret()
    if unknown := set(kind or ()) - set(KINDS):
        fail(f"Not subscribed: there is no kind {min(unknown)!r} of report: {', '.join(KINDS)}.")

    def enter(connection: sa.Connection) -> int:
        check_url(url, private=NoticeSettings().webhook_private)
        farm_id = areas.placed(connection, farm=farm, area=region)
        whose = behalf_of(connection, client, *deliveries.TOLD_OF_REPORTS, farm=farm, region=region)
        added = subscriptions.add(
            connection,
            farm_id,
            topic="reports",
            area_code=region,
            channel="webhook",
            address=url,
            kinds=kind or [],
            secret=secret,
            behalf=whose,
            by=author() if client is None else f"client:{client}",
        )
        details = {"address": url, "kinds": kind or [], "area": region, "farm": farm}
        note(connection, "report-subscription.create", added.id, farm_id, details)
        return added.id

    number = with_database(enter, "Not subscribed")
    say(f"Subscription {number}: what is filed from now on is told to {url} by `dala watch`.")
    print(secret)


@app.command("subscriptions")
def list_subscriptions() -> None:
    """Print who is told of reports."""
    from storage import subscriptions

    rows = [
        [
            str(one.id),
            one.farm or one.area_code,
            ", ".join(one.kinds) or "all",
            one.address,
            one.created_by,
            f"{one.created_at:%Y-%m-%d %H:%M}",
        ]
        for one in with_database(subscriptions.of_reports, "Not listed")
    ]
    nobody = "Nobody is told of reports: `dala report subscribe https://… --region KZ`."
    print_table(("number", "of", "kinds", "told to", "for", "since"), rows, nobody)


@app.command()
def unsubscribe(number: Number) -> None:
    """Tell nothing there any more; what waited is given up."""
    from storage import subscriptions

    def enter(connection: sa.Connection) -> None:
        farm_id = subscriptions.end_of_reports(connection, number, by=author())
        note(connection, "report-subscription.end", number, farm_id, {})

    with_database(enter, "Not ended")
    say(f"Subscription {number} is ended.")


@app.command("deliveries")
def list_deliveries(
    status: Status = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
) -> None:
    """Print what became of messages about reports, the newest first."""
    from storage import deliveries

    found = with_database(
        lambda connection: deliveries.of_reports(connection, status=status, limit=limit),
        "Not listed",
    )
    rows = [
        [
            f"{one.number}, {one.revision}",
            str(one.subscription_id),
            one.event,
            one.status,
            str(one.attempts),
            f"{one.created_at:%Y-%m-%d %H:%M}",
            one.last_error or "",
        ]
        for one in found
    ]
    columns = ("report, revision", "subscription", "event", "status", "attempts", "since", "error")
    print_table(
        columns, rows, "No message about a report: nothing was filed since anybody subscribed."
    )


# --- shared with schedules ------------------------------------------------------------------------


def behalf_of(
    connection: sa.Connection,
    client: str | None,
    *scopes: str,
    farm: str | None,
    region: str | None,
    everything: bool = False,
) -> Behalf:
    """For whom, if for a client of the API; ValueError unless that one may, as it must later."""
    from storage import api_clients, behalf, farms
    from storage.behalf import Behalf

    if client is None:
        return Behalf()
    whose = Behalf(client_id=api_clients.get(connection, client).id)
    of = None if farm is None else farms.get(connection, farm)
    farm_id, code = (None, region) if of is None else (of.id, of.region_code)
    rights = behalf.rights(connection, whose)
    if not rights.allow(*scopes, farm_id=farm_id, region=code, everything=everything):
        sees = "every farm" if everything and farm is None else farm or region
        needs = " and ".join(scopes)
        raise ValueError(f"client {client} may not: it needs {needs}, and to see {sees}")
    return whose


def note(
    connection: sa.Connection, action: str, number: int, farm_id: int | None, details: Any
) -> None:
    """A line in the book of deeds; what it is of, the action says."""
    from storage import audit

    object_ = f"{action.partition('.')[0]}:{number}"
    audit.record(
        connection, actor=author(), action=action, object=object_, farm_id=farm_id, details=details
    )
