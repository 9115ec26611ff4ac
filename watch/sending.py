"""Messages that are due, sent: signed requests and mails, each until it arrives or is given up."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
import structlog

from reports.alert_words import as_document
from reports.messages import Language, text_of
from reports.notices import content, message_id
from storage import deliveries
from storage.deliveries import Message, OfAlert, OfReport
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
    told = {"delivery": one.id, "channel": one.channel, "message": message_id(one)}
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
    if isinstance(one.about, OfReport) and not one.about.may_be_told:
        raise NotSent("who subscribed may not be told of this report any more", for_good=True)
    if one.channel == "webhook":
        told = content(one, public_url=settings.public_url)
        webhook.send(
            one.address,
            json.dumps(told, ensure_ascii=False).encode(),
            secret=one.secret or "",
            message_id=message_id(one),
            settings=settings,
        )
    elif isinstance(one.about, OfAlert):
        mail.send(_mail(one, one.about, settings), settings)
    else:
        raise NotSent("reports are told to webhooks alone", for_good=True)


def _mail(one: Message, about: OfAlert, settings: WatchSettings) -> EmailMessage:
    language = cast("Language", one.language)
    document = as_document(about.alert, language, about.timezone)
    end = _words("mail.end", language).format(number=about.alert.id, farm=about.farm)
    head = _words(f"mail.{one.event}", language).format(farm=about.farm_name)
    subject = f"{head}: {document['text']}"
    return mail.compose(
        to=one.address,
        subject=subject if len(subject) < 200 else subject[:199] + "…",
        text="\n\n".join([document["text"], document["action_text"], end]) + "\n",
        message_id=message_id(one),
        at=one.created_at,
        settings=settings,
    )


def _words(name: str, language: Language) -> str:
    return str(text_of(f"alert.table.{name}", language))
