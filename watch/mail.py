"""Messages as mail."""

from __future__ import annotations

import datetime as dt
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime

from watch.failures import NotSent, no_connection
from watch.settings import WatchSettings

_FOR_GOOD_FROM = 500


def compose(
    *,
    to: str,
    subject: str,
    text: str,
    message_id: str,
    at: dt.datetime,
    settings: WatchSettings,
) -> EmailMessage:
    """A mail of plain text; sent again it has the same Message-ID, by which readers know it."""
    mail = EmailMessage()
    mail["From"], mail["To"] = settings.smtp_from, to
    mail["Subject"] = " ".join(subject.split())
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{message_id}@{settings.smtp_from.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail


def send(mail: EmailMessage, settings: WatchSettings) -> None:
    """Hand a mail over to the mail server.

    Raises
    ------
    NotSent
        If the server did not take it.
    """
    if settings.smtp_host is None:
        raise NotSent("no mail server is named: set DALA_SMTP_HOST")
    host, port, timeout = settings.smtp_host, settings.smtp_port, settings.smtp_timeout_s
    context = ssl.create_default_context()
    server: smtplib.SMTP
    try:
        if settings.smtp_security == "tls":
            server = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=timeout)
        with server:
            if settings.smtp_security == "starttls":
                server.starttls(context=context)
            if settings.smtp_user is not None:
                password = settings.smtp_password
                server.login(
                    settings.smtp_user, "" if password is None else password.get_secret_value()
                )
            server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise NotSent(
            f"{code} {words.decode(errors='replace')}", for_good=code >= _FOR_GOOD_FROM
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise no_connection(host, error) from error
