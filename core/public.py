"""Which IP addresses are the public Internet's. It resolves nothing and connects to nothing.

What `ipaddress` calls global is not enough: on Python 3.11 NAT64, 6to4, multicast and some metadata hosts are among it.
"""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA has given out for hosts of the Internet: mapped, translated, NAT64, local and multicast lie outside."""
_NOT_REACHED_6 = (
    IPv6Network("2001::/23"),  # protocols: Teredo, which holds an IPv4 address, ORCHID, benchmarks
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4, which holds an IPv4 address
    IPv6Network("3fff::/20"),  # documentation
)
_NOT_REACHED_4 = (
    IPv4Network("192.0.0.0/24"),  # protocols, and Oracle's metadata host
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
    IPv4Network("168.63.129.16/32"),  # Azure's own services for each of its machines
)
_ISATAP = (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")
"""Interface identifiers that hold an IPv4 address begin so (RFC 5214)."""


def is_public(text: str) -> bool:
    """Whether `text` is an address in standard form that can only lead to a host of the public Internet."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return _is_public_4(address) if isinstance(address, IPv4Address) else _is_public_6(address)


def _is_public_4(address: IPv4Address) -> bool:
    special = address.is_multicast or address.is_reserved
    return address.is_global and not special and not any(address in network for network in _NOT_REACHED_4)


def _is_public_6(address: IPv6Address) -> bool:
    mapped = address.ipv4_mapped
    if mapped is not None:
        return _is_public_4(mapped)
    if address.scope_id is not None or address.packed[8:12] in _ISATAP:
        return False
    reached = address in _GLOBAL_UNICAST and not any(address in network for network in _NOT_REACHED_6)
    return reached and address.is_global
