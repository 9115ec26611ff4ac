"""The command line of Dala: every verb. What they do stands in cli/, imported when asked for."""

from __future__ import annotations

import sys

import typer

from cli import (
    accounts,
    brokers,
    devices,
    evidence,
    figures,
    files,
    importing,
    land,
    placing,
    registering,
    rejected,
    report_schedules,
    services,
    verifying,
    watching,
)
from cli.speaking import mendable, say

VERBS = (
    ("demo", services.demo),
    ("migrate", services.migrate),
    ("seed", services.seed),
    ("simulate", services.simulate),
    ("replay", services.replay),
    ("ingest", services.ingest),
    ("analyze", services.analyze),
    ("watch", watching.watch),
    ("serve", services.serve),
    ("summary", figures.summary),
    ("advice", figures.advice),
    ("work", figures.work),
    ("forecast", figures.forecast),
    ("adjust", figures.adjust),
    ("withdraw", figures.withdraw),
    ("import", importing.import_files),
    ("device", devices.device),
    ("alerts", devices.alerts),
    ("acknowledge", devices.acknowledge),
    ("unknown", devices.unknown),
    ("claim", devices.claim),
    ("register", registering.register),
    ("change", registering.change),
    ("place", placing.place),
    ("calibrate", placing.calibrate),
    ("token", registering.token),
    ("disable", registering.disable),
    ("enable", registering.enable),
    ("mosquitto", brokers.mosquitto),
    ("decode", files.decode),
    ("balance", files.balance),
    ("savings", files.savings),
    ("yield", files.clean_yield),
    ("bench", services.bench),
    ("verify", verifying.verify),
    ("doctor", services.doctor),
)

app = typer.Typer(
    help="Telemetry for precision farming: readings in, audited water and yield figures out.",
    epilog="Servers come from DALA_DATABASE_URL and DALA_MQTT_URL. Where neither is set, an "
    "embedded PostgreSQL and broker are started, with their data in DALA_HOME. "
    "Begin with: dala demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for name, verb in VERBS:
    app.command(name)(verb)
app.add_typer(land.farm_app, name="farm")
app.add_typer(land.field_app, name="field")
app.add_typer(land.crop_app, name="crop")
app.add_typer(rejected.app, name="rejected")
app.add_typer(accounts.app, name="account")
app.add_typer(report_schedules.app, name="report")
app.add_typer(evidence.app, name="evidence")


def main() -> None:
    """Run the command line; a fault that a person can mend is one sentence, not a trace."""
    try:
        app()
    except Exception as error:
        from seeds.services import PEOPLE_CAN_MEND

        if not isinstance(error, PEOPLE_CAN_MEND):
            raise
        say(f"dala: {mendable(error)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
