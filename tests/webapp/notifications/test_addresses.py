"""Where webhooks may lead: decided at the moment of connecting, about the address that is connected to."""

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from tests.webapp.conftest import make_config
from webapp.notifications.addresses import AddressRefused, check, connect

OUTSIDE = ("93.184.216.34", "1.1.1.1", "2606:2800:220:1:248:1893:25c8:1946", "172.32.0.1")
INSIDE = (
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104
    "10.96.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fd00:10:96::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
)


@pytest.mark.parametrize("text", OUTSIDE)
def test_the_outside_may_be_asked(text: str) -> None:
    check(ip_address(text), make_config("sqlite://"))
    closed = make_config("sqlite://", cluster_cidrs=(f"{text}/{ip_address(text).max_prefixlen}",))
    with pytest.raises(AddressRefused, match="inside the platform"):
        check(ip_address(text), closed)


@pytest.mark.parametrize("text", INSIDE)
def test_the_inside_may_not(text: str) -> None:
    with pytest.raises(AddressRefused, match="inside the platform"):
        check(ip_address(text), make_config("sqlite://"))


def test_the_operator_may_allow_a_network() -> None:
    config = make_config("sqlite://", webhook_allowed_cidrs=("10.20.0.0/16",))
    check(ip_address("10.20.3.4"), config)
    check(ip_address("::ffff:10.20.3.4"), config)
    with pytest.raises(AddressRefused):
        check(ip_address("10.21.0.1"), config)


def test_a_name_that_changes_its_address_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is resolved once: what was checked is what is connected to."""
    asked: list[str] = []
    connected: list[Any] = []

    def resolve(host: str, port: int, **_rest: Any) -> list[Any]:
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", lambda _self, where: connected.append(where))
    connect("rebind.example.org", 80, 1, make_config("sqlite://")).close()
    assert (asked, connected) == (["rebind.example.org"], [("93.184.216.34", 80)])
    with pytest.raises(AddressRefused):
        connect("rebind.example.org", 80, 1, make_config("sqlite://"))
    assert len(connected) == 1


def test_one_address_inside_is_enough_to_refuse_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80)),
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1%eth0", 80, 0, 2)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_more: found)
    with pytest.raises(AddressRefused, match="fe80::1"):
        connect("both.example.org", 80, 1, make_config("sqlite://"))
