"""What is set on the listening socket holds for every connection it accepts."""

import socket
import sys

import pytest

from app.core.config import Settings
from app.core.serving.server import USER_TIMEOUT_MS, listen


def option(settings: Settings, level: int, name: int) -> int:
    """What a connection that was just accepted has."""
    with listen(settings) as listener, socket.create_connection(("127.0.0.1", listener.getsockname()[1])):
        listener.setblocking(True)
        accepted, _ = listener.accept()
        with accepted:
            return accepted.getsockopt(level, name)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this option")
def test_data_that_nobody_acknowledges_ends_a_connection() -> None:
    """A client that never reads is not freed by pings: closing waits for the write buffer."""
    assert option(Settings(port=0), socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == USER_TIMEOUT_MS


def test_the_kernel_keeps_little_for_each_connection() -> None:
    wanted = 32_768
    found = option(Settings(port=0, socket_send_buffer_bytes=wanted), socket.SOL_SOCKET, socket.SO_SNDBUF)
    assert wanted <= found <= 2 * wanted, "Linux doubles it, for what it notes beside the data"


def test_a_server_can_start_again_at_once_on_its_port() -> None:
    with listen(Settings(port=0)) as first:
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            first.setblocking(True)
            first.accept()[0].close()  # who closes first has to wait, and that is the server
    with listen(Settings(port=port)) as second:
        assert second.getsockname()[1] == port


def test_a_port_that_is_taken_is_an_error() -> None:
    with listen(Settings(port=0)) as first, pytest.raises(OSError, match="in use"):
        listen(Settings(port=first.getsockname()[1]))


def test_an_address_of_the_new_kind_is_listened_on_too() -> None:
    with listen(Settings(host="::1", port=0)) as listener:
        assert listener.family == socket.AF_INET6
