"""Messages that are due, sent: signed requests and mails, each until it arrives or is given up."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
import structlog

from reports.alert_words import as_document
from reports.messages import Language, text_of
from reports.notices import content, message_id
from storage import deliveries
from storage.deliveries import Message
from watch import mail, webhook
from watch.failures import NotSent
from watch.settings import WatchSettings

log = structlog.get_logger()


class Sent(NamedTuple):
    """What became of messages."""

    arrived: int
    failed: int  # and will be tried again
    given_up: int


def send_due(engine: sa.Engine, settings: WatchSettings, now: dt.datetime) -> Sent:
    """Send what is due by now; to be called again and again.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database is away; what was claimed comes due again.
    """
    with engine.begin() as connection:
        deliveries.note_due(connection, now)
    total = Sent(0, 0, 0)
    with ThreadPoolExecutor(settings.send_workers) as workers:
        while True:
            with engine.begin() as connection:
                claimed = deliveries.claim(connection, now)
            if not claimed:
                return total
            futures = [workers.submit(_send, engine, settings, one, now) for one in claimed]
            for future in futures:
                total = Sent(*(sum(pair) for pair in zip(total, future.result(), strict=True)))


def _send(engine: sa.Engine, settings: WatchSettings, one: Message, now: dt.datetime) -> Sent:
    told = {"delivery": one.id, "channel": one.channel, "alert": one.alert.id}
    try:
        _hand_over(one, settings)
    except NotSent as error:
        return _note_failed(engine, one, error, now, told)
    except Exception as error:  # of one message: it must not keep the others from going
        log.exception("fault in a message", **told)
        return _note_failed(engine, one, NotSent(f"{type(error).__name__}: {error}"), now, told)
    with engine.begin() as connection:
        deliveries.note_sent(connection, one.id, now)
    log.info("message sent", **told, attempts=one.attempts)
    return Sent(1, 0, 0)


def _note_failed(
    engine: sa.Engine, one: Message, error: NotSent, now: dt.datetime, told: dict[str, Any]
) -> Sent:
    with engine.begin() as connection:
        over = deliveries.note_failed(connection, one, str(error), now, for_good=error.for_good)
    if over:
        log.error("message given up", **told, attempts=one.attempts, error=str(error))
        return Sent(0, 0, 1)
    log.warning("message not sent", **told, attempts=one.attempts, error=str(error))
    return Sent(0, 1, 0)


def _hand_over(one: Message, settings: WatchSettings) -> None:
    language = cast("Language", one.language)
    document = as_document(one.alert, language, one.timezone)
    if one.channel == "webhook":
        body = json.dumps(content(one, document), ensure_ascii=False).encode()
        webhook.send(
            one.address,
            body,
            secret=one.secret or "",
            message_id=message_id(one),
            settings=settings,
        )
    else:
        head = _words(f"mail.{one.event}", language)
        text = "\n\n".join(
            [document["text"], document["action_text"], _words("mail.end", language, one)]
        )
        subject = f"{head.format(farm=one.farm_name)}: {document['text']}"
        composed = mail.compose(
            to=one.address,
            subject=subject if len(subject) < 200 else subject[:199] + "…",
            text=text + "\n",
            message_id=message_id(one),
            at=one.created_at,
            settings=settings,
        )
        mail.send(composed, settings)


def _words(name: str, language: Language, one: Message | None = None) -> str:
    found = str(text_of(f"alert.table.{name}", language))
    return found if one is None else found.format(number=one.alert.id, farm=one.farm)
