"""Where a webhook may lead: to the outside, and never into the platform itself.

Names are resolved once, at the moment of connecting, and the address that was checked is the one that is
connected to; so a name that changes its address in between (DNS rebinding) gains nothing.
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias

from webapp.config import Config

Address: TypeAlias = IPv4Address | IPv6Address
# Networks whose addresses stand for IPv4 addresses that a gateway may turn them into.
_TRANSLATED = tuple(ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))


class AddressRefused(Exception):
    """The address must not be asked; the text says why."""


def check(address: Address, config: Config) -> None:
    """Raise AddressRefused unless requests may go to this address."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if _inside(address, config.webhook_allowed_cidrs):
        return
    translated = any(address in network for network in _TRANSLATED if network.version == address.version)
    outside = address.is_global and not address.is_multicast and not translated
    if not outside or _inside(address, config.cluster_cidrs):
        raise AddressRefused(
            f"{address} lies inside the platform or a private network; webhooks go to the outside only, "
            "unless the operator allows that network"
        )


def check_host(host: str, config: Config) -> None:
    """Raise AddressRefused for a host that is written as an address, or means this machine."""
    if host.rstrip(".").lower() == "localhost":
        check(IPv4Address("127.0.0.1"), config)
    try:
        address = ip_address(host)
    except ValueError:
        return  # A name: checked when it is connected to.
    check(address, config)


def connect(host: str, port: int, timeout: float, config: Config) -> socket.socket:
    """Return a connection to the first address of `host` that answers. Raises AddressRefused, OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # One forbidden address among several is enough: the name is not what it seems.
    for *_, where in found:
        check(ip_address(str(where[0]).partition("%")[0]), config)
    failure: OSError = OSError(f"'{host}' has no address")
    for family, kind, protocol, _name, where in found:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(timeout)
            connection.connect(where)
            return connection
        except OSError as error:
            connection.close()
            failure = error
    raise failure


def _inside(address: Address, networks: Sequence[str]) -> bool:
    parsed = (ip_network(text) for text in networks)
    return any(address in network for network in parsed if network.version == address.version)
