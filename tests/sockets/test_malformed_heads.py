"""Heads that RFC 9112 refuses are answered with 400, and valid ones that look odd are served."""

import pytest

from tests.sockets.http_connection import HttpConnection

MALFORMED = {
    "no Host": "GET / HTTP/1.1\r\n\r\n",
    "two Hosts": "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "two Hosts in HTTP/1.0": "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    "a Host with a path": "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a Host with a user": "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "a Host with a space": "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "half an address": "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "HTTP/2.0": "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "HTTP/0.9": "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "no version": "GET /\r\nHost: a\r\n\r\n",
    "two lengths": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length and chunks": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a length with a sign": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
    "chunks that are not last": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
    "a space before the colon": "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "a folded line": "GET / HTTP/1.1\r\nHost: a\r\nx: y\r\n z\r\n\r\n",
    "NUL in a header": "GET / HTTP/1.1\r\nHost: a\r\nx: \0\r\n\r\n",
    "an address that is none": "GET ? HTTP/1.1\r\nHost: a\r\n\r\n",
}
SOUND = {
    "a port": "Host: a.example:8000",
    "an IPv6 address": "Host: [::1]:8000",
    "an underscore": "Host: chat_server:8000",
    "an empty Host": "Host:",
    "spaces around": "Host:   a  ",
}


@pytest.mark.parametrize("head", MALFORMED.values(), ids=list(MALFORMED))
async def test_a_malformed_request_is_answered_with_400(head: str) -> None:
    connection = HttpConnection()
    await connection.receives(head.encode())
    assert connection.status == 400
    assert connection.requests == []
    assert b"connection: close" in connection.transport.written


async def test_a_tunnel_is_refused() -> None:
    connection = HttpConnection()
    await connection.receives(
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n\x16\x03\x01"
    )
    assert (connection.status, connection.requests) == (405, [])


@pytest.mark.parametrize("host", SOUND.values(), ids=list(SOUND))
async def test_a_sound_host_is_served(host: str) -> None:
    connection = HttpConnection()
    await connection.receives(f"GET / HTTP/1.1\r\n{host}\r\n\r\n".encode())
    assert connection.status == 204


async def test_http_1_0_needs_no_host() -> None:
    connection = HttpConnection()
    await connection.receives(b"GET / HTTP/1.0\r\n\r\n")
    assert (connection.status, connection.transport.is_closed) == (204, True)


async def test_a_whole_address_as_the_target_is_served() -> None:
    """RFC 9112 section 3.2.2."""
    connection = HttpConnection()
    await connection.receives(b"GET http://here/path?query HTTP/1.1\r\nHost: here\r\n\r\n")
    assert [(scope["path"], scope["query_string"]) for scope, _ in connection.requests] == [
        ("/path", b"query")
    ]
