"""Internet addresses: which of them count as one client, and which are this machine's alone."""

from ipaddress import IPv6Address, IPv6Network, ip_address

HOME = 64
"""Bits of an IPv6 address that a customer does not choose: everyone gets at least 2^64 addresses (RFC 6177)."""


def origin(address: str) -> str:
    """What stands for whoever comes from this address: itself, or for IPv6 the network that one customer has.

    A socket that listens to both writes an IPv4 address as `::ffff:192.0.2.1` (RFC 4291 section 2.5.5.2). What is no
    address (a name of a test client, nothing behind a Unix socket) stands for itself.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found), HOME), strict=False))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there (RFC 1122 section 3.2.1.3, RFC 6761 section 6.3)."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
