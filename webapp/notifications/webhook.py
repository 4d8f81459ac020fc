"""Send a message to a webhook, signed as Standard Webhooks says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: the headers
webhook-id, webhook-timestamp and webhook-signature, the last one `v1,` and the base64 of HMAC-SHA256 over
`<id>.<timestamp>.<body>`, with the key that follows `whsec_` in base64.
"""

import base64
import hmac
import http.client
import json
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from webapp.config import Config
from webapp.notifications.addresses import connect
from webapp.tls import client_context

SECRET_PREFIX = "whsec_"  # noqa: S105 - not a secret, but what shows that one follows
# Seconds for one step, and for the whole of an attempt.
STEP_TIMEOUT = 10.0
TIMEOUT = 20.0
_MOST_READ = 2_000


class DeliveryFailed(Exception):
    """The receiver did not take the message; the text says why."""


def new_secret() -> str:
    """Return a fresh key for signatures."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, delivery_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of webhook-signature."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def send(url: str, secret: str, delivery_id: str, message: Mapping[str, Any], config: Config) -> None:
    """POST the message. Raises DeliveryFailed, AddressRefused, OSError. Redirects are not followed."""
    body = json.dumps(message, ensure_ascii=False).encode()
    timestamp = int(time.time())
    parts = urlsplit(url)
    connection = _Connection(parts.scheme, parts.hostname or "", parts.port, config)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Croft",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, delivery_id, timestamp, body),
    }
    path = parts.path or "/"
    end = threading.Timer(TIMEOUT, connection.cut)
    end.daemon = True
    end.start()
    try:
        connection.request("POST", f"{path}?{parts.query}" if parts.query else path, body, headers)
        answer = connection.getresponse()
        answer.read(_MOST_READ)
    except http.client.HTTPException as error:
        why = "did not answer in time" if connection.was_cut else f"gave no HTTP answer ({error!r})"
        raise DeliveryFailed(f"{parts.hostname} {why}") from error
    finally:
        end.cancel()
        connection.close()
    if not 200 <= answer.status < 300:
        moved = "; redirects are not followed" if 300 <= answer.status < 400 else ""
        raise DeliveryFailed(f"{parts.hostname} answered {answer.status} {answer.reason}{moved}")


class _Connection(http.client.HTTPConnection):
    """Connects to the address that was checked, with TLS for the name that was asked for."""

    def __init__(self, scheme: str, host: str, port: int | None, config: Config) -> None:
        super().__init__(host, port or (443 if scheme == "https" else 80), timeout=STEP_TIMEOUT)
        self._tls = scheme == "https"
        self._config = config
        self.was_cut = False

    def connect(self) -> None:
        """Open the connection."""
        plain = connect(self.host, self.port, STEP_TIMEOUT, self._config)
        if not self._tls:
            self.sock = plain
            return
        try:
            context = client_context(self._config.ca_file)
            self.sock = context.wrap_socket(plain, server_hostname=self.host)
        except OSError:
            plain.close()
            raise

    def cut(self) -> None:
        """End an attempt that takes too long, however slowly something still comes."""
        self.was_cut = True
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # It has ended by itself in this very moment.
