"""Internet addresses: which of them count as one client, and which only this machine can reach."""

from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network

PREFIX_BITS = 64
"""Bits of an IPv6 address that a customer cannot choose: each has at least 2^64 addresses (RFC 6177)."""

WIDER_PREFIXES = (56, 48)


def origin(address: str) -> str:
    """The key under which limits count a client: its IPv4 address, or the IPv6 network of one customer.

    A dual-stack socket writes an IPv4 address as `::ffff:192.0.2.1` (RFC 4291 section 2.5.5.2). A value that is not an
    address (the name of a test client, the empty string of a Unix socket) is returned unchanged.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found), PREFIX_BITS), strict=False))


def networks(address: str) -> list[str]:
    """The keys of the networks around a client, from `origin` outward: a customer has a /64, a /56 or a /48 (RFC 6177),
    and with it every /64 in there."""
    try:
        nearest = IPv6Network(origin(address))
    except ValueError:
        return [origin(address)]
    return [str(nearest), *(str(nearest.supernet(new_prefix=bits)) for bits in WIDER_PREFIXES)]


def read_networks(text: str) -> list[str]:
    """Addresses and networks separated by commas; `*` stands for every address. Raises ValueError with the right
    spelling."""
    entries = [entry for entry in (entry.strip() for entry in text.split(",")) if entry]
    return [_network(entry) for entry in entries]


def _network(entry: str) -> str:
    try:
        if entry == "*":
            return entry
        return str(ip_network(entry) if "/" in entry else ip_address(entry))
    except ValueError:
        pass
    try:
        advice = f"write {ip_network(entry, strict=False)}"
    except ValueError:
        advice = "write for example 10.0.0.0/8"
    raise ValueError(f"{entry} is not an address or a network; {advice}")


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to the host (RFC 1122 section 3.2.1.3, RFC 6761 section 6.3)."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
