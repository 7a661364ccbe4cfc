"""Origins of pages (RFC 6454): compared by scheme, host and port, however they are spelt."""

import re
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple, Self

from app.core.addresses import is_loopback

_WEB = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
"""Clients that are no browser build their `Origin` from the address of the socket, whose scheme is ws or wss."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORM = re.compile(
    r"""(?xis)
    ( [a-z] [a-z0-9+.-]* ) ://
    ( \[ [0-9a-f:.]+ \] | [^\s/?\#\\@:,*\[\]]* )  # no user, no wildcard, no second origin
    (?: : ( \d{1,5} ) )?
    (?: [/?\#] \S* )?                             # a path is not part of the origin
    """
)
_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")


class Origin(NamedTuple):
    """Equal origins are the same origin."""

    scheme: str
    """Lower case; empty for the opaque origin `null`."""
    host: str
    port: int | None
    """None for the default port of the scheme."""

    def __str__(self) -> str:
        """The only spelling that a browser sends."""
        if not self.scheme:
            return "null"
        return f"{self.scheme}://{self.host}" + ("" if self.port is None else f":{self.port}")

    @property
    def is_web(self) -> bool:
        """Whether a page of the web can have it. `capacitor://localhost` is an app, and browsers send no such thing."""
        return self.scheme in _DEFAULT_PORTS

    @property
    def is_local(self) -> bool:
        """Whether the page was served by this machine, on any port."""
        return self.is_web and is_loopback(self.host.strip("[]"))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The origin of an address; None if the text is none."""
        if text == "null":
            return cls("", "", None)
        found = _FORM.fullmatch(text)
        if found is None:
            return None
        scheme = _WEB.get(found[1].lower(), found[1].lower())
        host = _host(found[2], is_web=scheme in _DEFAULT_PORTS)
        port = None if found[3] is None else int(found[3])
        if host is None or (port is not None and port > 65_535):
            return None
        return cls(scheme, host, None if port == _DEFAULT_PORTS.get(scheme) else port)

    def is_served_by(self, host: str, *, is_encrypted: bool) -> bool:
        """Whether a page of this origin comes from the server that was asked under `host`, the header.

        A server behind a proxy may not know that clients use TLS, so `is_encrypted` only ever refuses: what was asked
        for over TLS belongs to no page that was not.
        """
        if is_encrypted and self.scheme == "http":
            return False
        return self == Origin.parse(f"{self.scheme}://{host}")


def _host(text: str, *, is_web: bool) -> str | None:
    """The host in its one spelling; None for what is no host. Only an app may have none (`file://`)."""
    if text.startswith("["):
        try:
            return f"[{IPv6Address(text[1:-1]).compressed}]"
        except AddressValueError:
            return None
    try:
        name = text.lower() if text.isascii() else text.encode("idna").decode()
    except UnicodeError:
        return None
    if not name:
        return None if is_web else ""
    return name if _HOST_NAME.fullmatch(name) else None


def read_list(text: str) -> list[str]:
    """Origins separated by commas, each in the spelling of browsers. `*` stands for every origin. Raises ValueError
    with the right spelling."""
    return [_read(entry) for entry in (entry.strip() for entry in text.split(",")) if entry]


def _read(entry: str) -> str:
    if entry == "*":
        return entry
    origin = Origin.parse(entry)
    if origin is None:
        raise ValueError(f"{entry} is not an origin; {_advice(entry)}")
    return str(origin)


def _advice(entry: str) -> str:
    if "*" in entry:
        return "write each one in full, separated by commas: there are no wildcards but * alone"
    if re.search(r"\s", entry):
        return "separate origins with commas"
    host = re.sub(r"(?i)^(https?|wss?)?:*/+|^(https?|wss?):", "", entry).rpartition("@")[2]
    guess = Origin.parse(f"https://{host}")
    return f"write it as {guess or 'https://chat.example.com'}"
