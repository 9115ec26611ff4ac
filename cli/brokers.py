"""The verb for a broker whose accounts stand in files."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.speaking import fail, say

LOOK_S = 1.0


def mosquitto(
    passwords: Annotated[Path, typer.Option(help="The broker's password_file.")],
    acl: Annotated[Path, typer.Option(help="The broker's acl_file.")],
    pid_file: Annotated[
        Path | None, typer.Option(help="The broker's pid_file: it is told to read them again.")
    ] = None,
    follow: Annotated[
        bool, typer.Option(help="Go on: look every second for what has changed.")
    ] = False,
) -> None:
    """Write the tokens and topics of devices into Mosquitto's own files.

    For a Mosquitto without dynamic security. Lines of others, before the mark that this verb sets,
    stay as they are. Tokens are taken from where `dala register` and the API seal them with
    DALA_BROKER_KEY, and are hashed as mosquitto_passwd does.
    """
    from ingest import mosquitto_files
    from seeds.services import open_services
    from storage.sealing import Seal

    seal = Seal.from_environment()
    if seal is None:
        fail("Set DALA_BROKER_KEY, as for dala serve: tokens wait sealed with it.")
    with open_services("mosquitto") as services:
        if services.embedded is not None:
            fail("The embedded broker asks the database itself: it has no such files.")
        services.check_migrated()
        while True:
            with services.engine.begin() as connection:
                found = mosquitto_files.update(connection, seal, passwords, acl)
                # Before it counts as told: else who ends here leaves a broker that nobody tells.
                if found.told or found.is_other:
                    _read_again(pid_file)
            if found.told or found.is_other:
                say(f"{found.told} credentials are new, changed or gone.")
            for username, why in found.failures.items():
                if not follow:
                    say(f"{username}: {why}")
            if not follow:
                return
            time.sleep(LOOK_S)


def _read_again(pid_file: Path | None) -> None:
    """Tell the broker to read its files; say what to do where nobody can."""
    if pid_file is None:
        say("Let the broker read its files again: systemctl reload mosquitto")
        return
    try:
        os.kill(int(pid_file.read_text()), signal.SIGHUP)
    except (OSError, ValueError) as error:
        say(f"The broker was not told to read its files again: {pid_file}: {error}")
