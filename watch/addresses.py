"""Which addresses on the network a webhook may lead to.

Whoever may subscribe chooses where this server sends requests. Without a guard that would reach
what only this server can: its own ports, machines beside it, metadata of a cloud.
"""

from __future__ import annotations

import ipaddress
import socket

from watch.failures import NotSent

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, also where it hides another."""
    if isinstance(address, ipaddress.IPv6Address):
        hidden = address.ipv4_mapped or address.sixtofour
        if hidden is None and address in _NAT64:
            hidden = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if hidden is not None:
            return is_public(hidden)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve(host: str, port: int, *, private: bool) -> list[str]:
    """Addresses of a host, to be connected to as they are: asked again, a name may answer another.

    Raises
    ------
    NotSent
        If there is none, or one is not of the open internet and ``private`` does not allow that.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSent(f"{host} is not known: {error}") from error
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    for one in addresses:
        if not private and not is_public(ipaddress.ip_address(one.partition("%")[0])):
            raise NotSent(f"{host} is {one}, which is not of the open internet", for_good=True)
    return addresses
