"""Real receivers of notifications on 127.0.0.1: an HTTP server, and a mail server."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


def free_port() -> int:
    """Return a port on which nothing listens (aiosmtpd cannot take one of the system's choice)."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@dataclass
class Received:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HookServer:
    """Answers each POST with the next of `answers` (a status, or a function of the handler), at last 204."""

    answers: list[int | Callable[[Any], None]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append(Received(self.path, dict(self.headers.items()), body))
                answer = outer.answers.pop(0) if outer.answers else 204
                if callable(answer):
                    answer(self)
                    return
                self.send_response(answer)
                if 300 <= answer < 400:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


class MailServer:
    """Takes e-mails from ada with the right password; refuses so many of the first ones."""

    def __init__(self, password: str, refuse: int = 0) -> None:
        self.mails: list[EmailMessage] = []
        self._refuse = refuse
        self._password = password.encode()
        self._controller = Controller(
            self, hostname="127.0.0.1", port=free_port(), authenticator=self._check, auth_require_tls=False
        )
        self._controller.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._controller.port

    def close(self) -> None:
        """End it."""
        self._controller.stop()

    def _check(self, _server: Any, session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ada", self._password)
        session.authenticated = good
        return AuthResult(success=good)

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        """Take a mail."""
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        if self._refuse:
            self._refuse -= 1
            return "451 4.3.0 Try again later"
        found = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.mails.append(found)
        return "250 OK"
