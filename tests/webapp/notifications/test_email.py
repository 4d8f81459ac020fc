"""What is said of a mail server that does not do its part."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.webapp.conftest import make_config
from webapp.notifications import email, sender

MESSAGE: dict[str, Any] = {
    "data": {
        "summary": "A test",
        "project": "shop",
        "links": {"page": "https://croft.example.org/projects/shop"},
    }
}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port that takes connections and says nothing by itself."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def reason(port: int) -> str:
    """Send a mail to this port; return why that did not work."""
    config = make_config("sqlite://", smtp_host="127.0.0.1", smtp_port=port, smtp_from="croft@example.org")
    with pytest.raises(OSError) as caught:  # noqa: PT011 - its words are what is tested
        email.send("team@example.org", "0f8c", MESSAGE, config)
    return sender._words(caught.value, "the mail server")


def test_a_silent_mail_server(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "TIMEOUT", 0.2)
    assert reason(listener.getsockname()[1]) == "The mail server did not answer in time"


def test_a_mail_server_that_hangs_up(listener: socket.socket) -> None:
    threading.Thread(target=lambda: listener.accept()[0].close(), daemon=True).start()
    why = reason(listener.getsockname()[1])
    assert why == "The mail server closed the connection; check its port and portal_smtp_security"


def test_no_mail_server(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    assert reason(port) == "The mail server cannot be reached: Connection refused"
