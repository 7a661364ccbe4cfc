"""Options of the listening socket are inherited by every connection it accepts."""

import socket
import sys

import pytest

from app.core.config import Settings
from app.core.serving.server import USER_TIMEOUT_MS, listen


def option(settings: Settings, level: int, name: int) -> int:
    """The value of a socket option on a newly accepted connection."""
    with listen(settings) as listener, socket.create_connection(("127.0.0.1", listener.getsockname()[1])):
        listener.setblocking(True)
        accepted, _ = listener.accept()
        with accepted:
            return accepted.getsockopt(level, name)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this option")
def test_a_connection_ends_when_its_data_stays_unacknowledged() -> None:
    """Unanswered pings alone do not free the connection of a client that never reads: closing it waits for the write
    buffer."""
    assert option(Settings(port=0), socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == USER_TIMEOUT_MS


def test_the_send_buffer_of_a_connection_has_the_configured_size() -> None:
    wanted = 32_768
    found = option(Settings(port=0, socket_send_buffer_bytes=wanted), socket.SOL_SOCKET, socket.SO_SNDBUF)
    assert wanted <= found <= 2 * wanted, "Linux doubles the value for its bookkeeping"


def test_a_server_can_restart_at_once_on_its_port() -> None:
    with listen(Settings(port=0)) as first:
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            first.setblocking(True)
            first.accept()[0].close()  # the side that closes first, here the server, enters TIME_WAIT
    with listen(Settings(port=port)) as second:
        assert second.getsockname()[1] == port


def test_a_port_in_use_is_an_error() -> None:
    with listen(Settings(port=0)) as first, pytest.raises(OSError, match="in use"):
        listen(Settings(port=first.getsockname()[1]))


def test_an_ipv6_address_can_be_listened_on() -> None:
    with listen(Settings(host="::1", port=0)) as listener:
        assert listener.family == socket.AF_INET6
