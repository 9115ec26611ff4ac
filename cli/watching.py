"""The verb that looks at rules of alerts and tells who wants to hear of them."""

from __future__ import annotations

import datetime as dt
import signal
from typing import Annotated

import typer

from cli.speaking import say


def watch(
    once: Annotated[bool, typer.Option(help="Look and send once, then end.")] = False,
) -> None:
    """Look at every farm by its rules of alerts, file, send, seal what is due, until stopped.

    Filed are scheduled reports (`dala report schedule`); sent, messages of alerts and of reports.
    What was stored is sealed once a day (DALA_SEAL_EVERY_H) under a signed head: `dala evidence`.
    """
    from cli.reporting import key_file
    from ingest import logs
    from seeds.services import open_services
    from watch.serving import Watcher

    logs.configure()
    with open_services("watch") as services:
        services.check_migrated()
        watcher = Watcher(services.engine, key_file=key_file())
        if once:
            watched, filed, sent = watcher.step(dt.datetime.now(dt.UTC))
            say(
                f"{watched.opened} alerts opened, {watched.cleared} cleared; {filed.filed} reports "
                f"filed, {filed.unchanged} unchanged, {filed.not_filed} not; {sent.arrived} "
                f"messages sent, {sent.failed} to be tried again, {sent.given_up} given up."
            )
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: watcher.stop())
        watcher.run()
