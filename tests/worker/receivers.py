"""Real receivers of notifications on 127.0.0.1: an HTTP server, and a mail server."""

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.ports import free_port


def server_context(folder: Path, certificate: str, key: str) -> ssl.SSLContext:
    """Return what a server with this certificate and key (PEM) needs; both are written into `folder`."""
    (folder / "server.pem").write_text(f"{certificate}\n{key}\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


@dataclass
class Received:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HookServer:
    """Answers each POST with the next of `answers` (a status, or a function of the handler), at last 204.

    With `tls` it speaks HTTPS.
    """

    answers: list[int | Callable[[Any], None]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

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
        if self.tls:
            # The handshake is made by the connection's own thread: a client that refuses ends no other.
            self._server.socket = self.tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


class MailServer:
    """Takes e-mails from ada with the right password, or without one from all; refuses the first so many.

    `starttls`: offers STARTTLS and takes nothing without; `tls`: speaks TLS from the first byte on.
    """

    def __init__(
        self,
        password: str = "",
        refuse: int = 0,
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.mails: list[EmailMessage] = []
        # Everything that was given as a password, right or wrong.
        self.passwords: list[bytes] = []
        self._refuse = refuse
        self._password = password.encode()
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=free_port(),
            ssl_context=tls,
            server_hostname="localhost",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=self._check,
            auth_require_tls=starttls is not None,
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
        assert isinstance(data, LoginPassword)
        self.passwords.append(data.password)
        good = (data.login, data.password) == (b"ada", self._password)
        session.authenticated = good
        # Not handled: the server itself answers with the refusal.
        return AuthResult(success=good, handled=good)

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        """Take a mail."""
        if self._password and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if self._refuse:
            self._refuse -= 1
            return "451 4.3.0 Try again later"
        found = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.mails.append(found)
        return "250 OK"
