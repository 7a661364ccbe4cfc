"""A client that does not complete its request within the deadline is disconnected, even if it keeps sending bytes."""

import pytest

from app.core.serving.http_protocol import HEAD_SECONDS, REQUEST_SECONDS
from app.core.serving.refusal import LINGER_SECONDS
from tests.sockets.http_connection import HttpConnection
from tests.support.rawclient import HANDSHAKE

HEAD = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 4\r\n\r\n"
UPGRADE = HANDSHAKE.format(path="/", port=1, headers="").encode()


def bytewise(data: bytes) -> list[bytes]:
    return [bytes((byte,)) for byte in data]


async def test_a_client_that_sends_nothing_is_disconnected_without_an_answer() -> None:
    """Browsers connect in advance, and would take an answer for that to their next request."""
    connection = HttpConnection()
    (deadline,) = connection.loop.running
    assert deadline.seconds == HEAD_SECONDS
    deadline.expire()
    assert connection.transport.is_closed
    assert not connection.transport.written


@pytest.mark.parametrize("sent", [b"\r\n", b"P", HEAD[:20], HEAD[:-1]], ids=len)
async def test_a_client_that_sends_no_complete_head_is_refused(sent: bytes) -> None:
    connection = HttpConnection()
    await connection.receives(*bytewise(sent))
    (deadline,) = connection.loop.running
    assert deadline.seconds == HEAD_SECONDS
    assert not connection.transport.written
    deadline.expire()
    assert connection.status == 408
    await expect_linger(connection)


async def expect_linger(connection: HttpConnection) -> None:
    """A refused connection takes what still arrives, and is closed soon."""
    (linger,) = connection.loop.running
    assert (linger.seconds, connection.transport.has_ended) == (LINGER_SECONDS, True)
    await connection.receives(b"ignored")
    assert not connection.transport.is_closed
    linger.expire()
    assert connection.transport.is_closed


@pytest.mark.parametrize("sent", [HEAD, HEAD + b"abc"], ids=len)
async def test_a_client_that_sends_no_complete_body_is_refused_after_a_minute(sent: bytes) -> None:
    connection = HttpConnection()
    await connection.receives(*bytewise(sent))
    connection.loop.running[0].expire()
    assert not connection.transport.written
    (deadline,) = connection.loop.running
    assert deadline.seconds == REQUEST_SECONDS - HEAD_SECONDS
    deadline.expire()
    assert connection.status == 408
    await connection.receives(b"")
    assert [body for _, body in connection.requests] == [sent[len(HEAD) :]], "the application is told"
    assert connection.transport.written.count(b"HTTP/1.1") == 1
    await expect_linger(connection)


async def test_further_bytes_do_not_extend_the_deadline() -> None:
    connection = HttpConnection()
    await connection.receives(*bytewise(HEAD + b"abc"))
    assert connection.loop.running == connection.loop.deadlines[:1]


async def test_a_complete_request_has_no_deadline_and_the_next_one_gets_a_new_deadline() -> None:
    connection = HttpConnection()
    await connection.receives(HEAD + b"abcd")
    assert connection.status == 204
    assert connection.loop.running == []
    await connection.receives(HEAD)
    (deadline,) = connection.loop.running
    await connection.receives(b"abcd")
    assert not deadline.is_running
    assert connection.transport.written.count(b"HTTP/1.1 204 ") == 2


async def test_line_breaks_between_requests_keep_no_connection_open() -> None:
    """They end the wait for the next request, and begin none."""
    connection = HttpConnection()
    await connection.receives(HEAD + b"abcd")
    await connection.receives(b"\r\n")
    (deadline,) = connection.loop.running
    await connection.receives(b"\r\n")
    assert connection.loop.running == [deadline]


async def test_a_request_behind_one_that_is_not_answered_yet_is_not_late() -> None:
    connection = HttpConnection()
    connection.may_answer.clear()
    await connection.receives(HEAD + b"abcd" + HEAD[:20])
    connection.loop.running[0].expire()
    (again,) = connection.loop.running
    assert not connection.transport.written
    connection.may_answer.set()
    await connection.receives(HEAD[20:] + b"efgh")
    assert not again.is_running
    assert [body for _, body in connection.requests] == [b"abcd", b"efgh"]


async def test_an_open_websocket_has_no_deadline() -> None:
    connection = HttpConnection()
    await connection.receives(UPGRADE[:30])
    assert connection.loop.running
    await connection.receives(UPGRADE[30:])
    assert connection.transport.written.startswith(b"HTTP/1.1 101 ")
    assert connection.loop.running == []


async def test_a_lost_connection_has_no_deadline() -> None:
    connection = HttpConnection()
    await connection.receives(HEAD)
    connection.protocol.connection_lost(None)
    assert connection.loop.running == []
