"""A command in a container, over the Kubernetes API's WebSocket (subprotocol v5.channel.k8s.io).

Each message is one byte that names the channel, then data.
https://kubernetes.io/docs/reference/using-api/api-concepts/ and KEP-4006 describe the protocol.
"""

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from webapp.cluster.pods import shorten
from webapp.cluster.state import ClusterUnreachable

_PROTOCOL = "v5.channel.k8s.io"
_CLOSE = 8  # the WebSocket's own opcode
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE = range(5)
# The outcome of a command that is not in the container's image.
NO_SHELL = "no shell"
CONNECT_TIMEOUT_S = 8


class CannotStart(Exception):
    """The command did not start; the text says why, in words."""


@dataclass(frozen=True)
class Target:
    """What to run, where, and as whom. `server`: https://host:port; `authority`: certificates as PEM."""

    server: str
    authority: str
    token: str = field(repr=False)
    namespace: str
    pod: str
    container: str
    command: tuple[str, ...]

    @property
    def address(self) -> str:
        """The WebSocket's address."""
        parts = urlsplit(self.server)
        query = [("container", self.container), *(("command", word) for word in self.command)]
        query += [("stdin", "true"), ("stdout", "true"), ("tty", "true")]
        path = f"{parts.path.rstrip('/')}/api/v1/namespaces/{self.namespace}/pods/{self.pod}/exec"
        scheme = "wss" if parts.scheme == "https" else "ws"
        return urlunsplit((scheme, parts.netloc, path, urlencode(query), ""))


class Execution:
    """A running command with a terminal. One thread may read while another one writes."""

    def __init__(self, target: Target) -> None:
        """Start the command. Raises CannotStart or ClusterUnreachable."""
        import websocket

        self._closed_error = websocket.WebSocketException
        options: dict[str, Any] = {"context": _tls(target.authority)} if target.authority else {}
        try:
            self._socket = websocket.create_connection(
                target.address,
                timeout=CONNECT_TIMEOUT_S,
                header=[f"Authorization: Bearer {target.token}"],
                subprotocols=[_PROTOCOL],
                sslopt=options,
                enable_multithread=True,
                skip_utf8_validation=True,
                http_no_proxy=["*"],
            )
        except websocket.WebSocketBadStatusException as error:
            raise CannotStart(_refusal(error.status_code, error.resp_body)) from error
        except (websocket.WebSocketException, OSError) as error:
            raise ClusterUnreachable(
                f"the Kubernetes API does not answer ({type(error).__name__})"
            ) from error
        # Reading waits for as long as the session lasts; `close` ends it.
        self._socket.settimeout(None)
        # What the cluster said at the end; None while it runs. Empty: the command ended with 0.
        self.outcome: str | None = None

    def output(self) -> Iterator[bytes]:
        """Yield what the command prints, until it ends or the connection is closed."""
        while True:
            try:
                opcode, message = self._socket.recv_data()
            except (self._closed_error, OSError):
                self.outcome = self.outcome if self.outcome is not None else "the connection was cut"
                return
            if opcode == _CLOSE or not message:
                self.outcome = self.outcome if self.outcome is not None else "the connection was cut"
                return
            channel, data = message[0], message[1:]
            if channel in (_STDOUT, _STDERR) and data:
                yield bytes(data)
            elif channel == _ERROR:
                self.outcome = _outcome(bytes(data))

    def type(self, data: bytes) -> None:
        """Send what was typed. Raises ConnectionError when the command takes no more."""
        self._send(_STDIN, data)

    def resize(self, columns: int, rows: int) -> None:
        """Tell the terminal's size. Raises ConnectionError when the command has ended."""
        self._send(_RESIZE, json.dumps({"Width": columns, "Height": rows}).encode())

    def close(self) -> None:
        """End the connection; the cluster ends the command. May be called twice, and by any thread."""
        try:
            # Wakes a thread that reads; closing alone would leave it, and the connection, waiting.
            self._socket.abort()
        except OSError:
            return

    def release(self) -> None:
        """Free the connection, once nobody reads any more."""
        self._socket.shutdown()

    def _send(self, channel: int, data: bytes) -> None:
        try:
            self._socket.send_binary(bytes([channel]) + data)
        except (self._closed_error, OSError) as error:
            raise ConnectionError("the command has ended") from error


def _tls(authority: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority)


def _refusal(status: int, body: bytes | None) -> str:
    try:
        message = shorten(json.loads(body or b"{}").get("message", ""))
    except (ValueError, AttributeError):
        message = ""
    if status == 403:
        return f"the cluster does not allow it: {message}"
    if status == 404:
        return "the pod is gone; choose another one"
    if "is not running" in message or "not found" in message or status in (400, 500):
        return f"the container does not run: {message}" if message else "the container does not run"
    return message or f"the Kubernetes API answered {status}"


def _outcome(data: bytes) -> str:
    """Return in words how the command ended; empty for success and for a shell's own exit code."""
    try:
        status = json.loads(data)
    except ValueError:
        return shorten(data.decode(errors="replace"))
    if status.get("status") == "Success" or status.get("reason") == "NonZeroExitCode":
        return ""
    message = status.get("message", "")
    if "no such file or directory" in message or "not found in $PATH" in message:
        return NO_SHELL
    return shorten(message)
