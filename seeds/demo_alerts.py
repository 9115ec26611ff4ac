"""What the demo shows of alerts: rules looked at, and messages that reach a webhook.

The webhook is a page of the demo itself on loopback. It checks signatures as docs/alerts.md tells
receivers to, so that what is shown as received is what any receiver would take.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import sqlalchemy as sa
from rich.console import Console

from reports import notices, printing_alerts
from storage import alerts, farms, subscriptions
from watch.serving import Watcher
from watch.settings import WatchSettings

SHOWN = 5
BY = "demo"


class Listener:
    """A receiver of webhooks; what is signed with the secret counts, anything else is refused."""

    def __init__(self) -> None:
        self.secret = notices.make_secret()
        self.received: list[dict[str, Any]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(204 if listener._take(self.headers, body) else 401)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing: the demo prints what came."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/alerts"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Hear no more."""
        self._server.shutdown()
        self._server.server_close()

    def _take(self, headers: Any, body: bytes) -> bool:
        number, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        signed = headers.get("webhook-signature", "").split()
        expected = notices.signature(self.secret, number, int(at), body) if at.isdecimal() else ""
        if not any(hmac.compare_digest(expected, one) for one in signed):
            return False
        self.received.append(json.loads(body))
        return True


def settings() -> WatchSettings:
    """Of the environment, but that the demo's own page may be told."""
    return WatchSettings(webhook_private=True)


def subscribe(engine: sa.Engine, slug: str, listener: Listener) -> None:
    """Let the listener, and no page of a demo before it, hear of a farm's alerts."""
    with engine.begin() as connection:
        farm = farms.get(connection, slug)
        for one in subscriptions.of_farm(connection, farm.id):
            if one.created_by == BY:
                subscriptions.end(connection, farm.id, one.id, by=BY)
        subscriptions.add(
            connection,
            farm.id,
            channel="webhook",
            address=listener.url,
            kinds=[],
            min_severity="info",
            language="en",
            secret=listener.secret,
            by=BY,
        )


def show(engine: sa.Engine, slug: str, listener: Listener, out: Console) -> Watcher:
    """Look at every farm once, send what is due, and print what came of it."""
    watcher = Watcher(engine, settings())
    watched, _, sent = watcher.step(dt.datetime.now(dt.UTC))
    with engine.connect() as connection:
        farm = farms.get(connection, slug)
        found = alerts.page(connection, farm_id=farm.id, active=True, limit=SHOWN)
        zones = alerts.timezones(connection, found)
        anywhere = len(alerts.page(connection, active=True, limit=100_000))
    out.print(f"\nAlerts of {farm.name}, the newest of {anywhere} on all farms")
    printing_alerts.print_alerts(found, out, zones=zones, limit=SHOWN)
    arrived = len(listener.received)
    out.print(
        f"Opened just now: {watched.opened}. Told to a webhook on this machine, signed: {arrived} "
        f"of {farm.name}; not arrived: {sent.failed + sent.given_up}."
    )
    if settings().smtp_host is None:
        out.print("Mail is not sent: no mail server is named (DALA_SMTP_HOST).")
    return watcher
