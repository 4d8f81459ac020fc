"""Send a message as e-mail through the operator's mail server."""

import smtplib
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

from webapp.config import Config
from webapp.tls import client_context

TIMEOUT = 15.0


class StarttlsMissing(Exception):
    """The mail server offers no STARTTLS, or somebody on the way took the offer away; the text says so."""


def compose(address: str, delivery_id: str, message: Mapping[str, Any], config: Config) -> EmailMessage:
    """Return the e-mail for a message."""
    data = message["data"]
    mail = EmailMessage()
    mail["Subject"] = " ".join(f"[Croft] {data['summary']}".split())
    mail["From"] = config.smtp_from
    mail["To"] = address
    mail["Date"] = formatdate(usegmt=True)
    # The same for every attempt: mail programs show a message that comes twice once.
    mail["Message-ID"] = f"<{delivery_id}@{config.external_host}>"
    mail["Auto-Submitted"] = "auto-generated"
    lines = [data["summary"], ""]
    if job := data.get("job"):
        lines += [job["message"], f"Asked for by {job['user']}.", ""]
    elif text := data.get("message"):
        lines += [text, ""]
    lines += [f"{data['links']['page']}", ""]
    lines.append(f"You get this because project {data['project']} sends its news to this address.")
    mail.set_content("\n".join(lines) + "\n")
    return mail


def send(address: str, delivery_id: str, message: Mapping[str, Any], config: Config) -> None:
    """Hand the message to the mail server.

    With security `starttls` or `tls` neither password nor mail is sent before the server's certificate was
    checked. Raises StarttlsMissing, and OSError, of which smtplib.SMTPException and ssl.SSLError are some.
    """
    mail = compose(address, delivery_id, message, config)
    context = client_context(config.ca_file)
    if config.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            config.smtp_host, config.smtp_port, timeout=TIMEOUT, context=context
        )
    else:
        server = smtplib.SMTP(config.smtp_host, config.smtp_port, timeout=TIMEOUT)
    with server:
        if config.smtp_security == "starttls":
            try:
                server.starttls(context=context)
            except smtplib.SMTPNotSupportedError as error:
                why = "The mail server offers no STARTTLS, which the operator asks for, so nothing was sent"
                raise StarttlsMissing(why) from error
        if config.smtp_user:
            server.login(config.smtp_user, config.smtp_password)
        server.send_message(mail)
