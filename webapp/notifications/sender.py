"""Bring what is in the outbox to its receivers, in the worker.

Each message is taken for some minutes, tried, and marked as delivered or put back with a longer wait. When
the worker dies in between, the time runs out and another attempt is made: at least once, and the receiver
knows by the delivery's id what it has had already.
"""

import logging
import smtplib
import socket
import ssl
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.config import Config
from webapp.db import db, utcnow, writing
from webapp.metrics.series import NOTIFICATIONS
from webapp.notifications import email, webhook
from webapp.notifications.addresses import AddressRefused
from webapp.notifications.models import Delivery
from webapp.tls import refusal

log = logging.getLogger("croft.worker")

# Longer than any attempt takes.
TAKEN_FOR = timedelta(minutes=2)


@dataclass(frozen=True)
class Taken:
    """A message that this thread has taken."""

    id: str
    kind: str
    target: str
    secret: str
    event: str
    body: dict[str, Any]
    attempts: int


def send_next(config: Config) -> bool:
    """Take one message that is due and try to deliver it; False when there is none.

    Commits. Raises DBAPIError.
    """
    taken = take()
    if taken is None:
        return False
    message = with_addresses(taken.body, config)
    final = False
    try:
        if taken.kind == "email":
            email.send(taken.target, taken.id, message, config)
        else:
            webhook.send(taken.target, taken.secret, taken.id, message, config)
        error = ""
    except AddressRefused as refused:
        error, final = str(refused), True
    except (OSError, ValueError, webhook.DeliveryFailed, email.StarttlsMissing) as failure:
        error = _words(failure, "the mail server" if taken.kind == "email" else "the receiver")
    settle(taken, error, config, final=final)
    return True


def _words(failure: Exception, who: str) -> str:
    """Say why an attempt failed; `who` was asked, like "the receiver"."""
    match failure:
        case ssl.SSLError():
            return refusal(failure, who)
        case socket.gaierror():
            return f"The name of {who} is not known; check its address"
        # smtplib tells of both ends of a connection alike.
        case TimeoutError() | smtplib.SMTPServerDisconnected(__context__=TimeoutError()):
            return f"{who.capitalize()} did not answer in time"
        case smtplib.SMTPServerDisconnected():
            return "The mail server closed the connection; check its port and portal_smtp_security"
        case smtplib.SMTPAuthenticationError():
            return "The mail server refused the operator's name and password"
        case smtplib.SMTPRecipientsRefused():
            _code, text = next(iter(failure.recipients.values()))
            return f"The mail server refuses the address: {text.decode(errors='replace')}"
        case smtplib.SMTPResponseException():
            raw = failure.smtp_error
            said = raw.decode(errors="replace") if isinstance(raw, bytes) else raw
            return f"The mail server answered {failure.smtp_code} {said}"
        case OSError(strerror=str(text)) if text:
            return f"{who.capitalize()} cannot be reached: {text}"
    return str(failure) or type(failure).__name__


def take() -> Taken | None:
    """Return the message that has been due for longest, taken for some minutes; None when none is."""
    due = (Delivery.state == "waiting", Delivery.next_try_at <= utcnow())
    # A look that takes no lock, since mostly there is nothing.
    with Session(db.engine) as session:
        if session.scalar(select(Delivery.id).where(*due).limit(1)) is None:
            return None
    query = select(Delivery).where(*due).order_by(Delivery.next_try_at).limit(1)
    with writing() as session:
        found = session.scalar(query.with_for_update(skip_locked=True))
        if found is None:
            return None
        found.attempts += 1
        found.next_try_at = utcnow() + TAKEN_FOR
        return Taken(
            found.id, found.kind, found.target, found.secret or "", found.event, found.body, found.attempts
        )


def settle(taken: Taken, error: str, config: Config, *, final: bool = False) -> None:
    """Write down how the attempt went: `error` is empty when it went well, `final` forbids another."""
    waits = config.notification_retries
    with writing() as session:
        found = session.get(Delivery, taken.id, with_for_update=True)
        if found is None or found.state != "waiting":
            return
        found.error = error[:1000]
        if not error:
            found.state, found.delivered_at = "delivered", utcnow()
        elif final or taken.attempts > len(waits):
            found.state = "failed"
        else:
            found.next_try_at = utcnow() + timedelta(seconds=waits[taken.attempts - 1])
        state = found.state
    NOTIFICATIONS.labels(taken.kind, "retried" if state == "waiting" else state).inc()
    log.info("delivery %s (%s, attempt %d): %s %s", taken.id, taken.event, taken.attempts, state, error)


def with_addresses(body: dict[str, Any], config: Config) -> dict[str, Any]:
    """Return the message with whole addresses for its links, which are kept as paths."""
    data = body["data"]
    links = {name: f"{config.external_url}{path}" for name, path in data["links"].items()}
    return {**body, "data": {**data, "links": links}}
