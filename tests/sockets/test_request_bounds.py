"""Every part of a request that never ends is cut off, and costs no memory before that."""

import itertools
import socket
from collections.abc import Iterator
from pathlib import Path

import httptools
import pytest

from app.core.serving.http_protocol import MAX_DROPPED_BYTES, MAX_UNPARSED_BYTES
from app.core.serving.request_meter import MAX_HEAD_BYTES, MAX_HEADER_LINES, MAX_TARGET_BYTES
from tests.sockets.http_connection import HttpConnection
from tests.support.people import PATIENCE
from tests.support.server import ChatServer

GET = b"GET / HTTP/1.1\r\nhost: here\r\n"
POST = b"POST /api/rooms HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n"
UPGRADE = b"connection: upgrade\r\nupgrade: h2c\r\n"

ENDLESS = {
    "header lines": (GET, b"a: b\r\n", 431),
    "a header's value": (GET + b"a: ", b"x", 431),
    "a header's name": (GET, b"x", 431),
    "a folded header": (GET + b"a: b\r\n", b" b\r\n", 400),
    "the head of an upgrade": (GET + UPGRADE, b"a: b\r\n", 431),
    "the target": (b"GET /", b"x", 414),
    "the query": (b"GET /?", b"x", 414),
    "the method": (b"", b"G", 400),
    "the version": (b"GET / HTTP/1.", b"1", 400),
    "line breaks before a request": (b"", b"\r\n", 431),
    "a chunk's size": (POST, b"0", 400),
    "a chunk's extension": (POST + b"1;", b"x", 400),
    "extensions of many chunks": (POST, b"1;" + b"x" * 1000 + b"\r\nx\r\n", 400),
    "trailers": (POST + b"1\r\nx\r\n0\r\n", b"a: b\r\n", 431),
    "a trailer": (POST + b"1\r\nx\r\n0\r\na: ", b"b", 400),
}
every_endless_part = pytest.mark.parametrize("start, unit, status", ENDLESS.values(), ids=list(ENDLESS))


@every_endless_part
@pytest.mark.parametrize("size", [1 << 18, 1000], ids=["large reads", "small reads"])
async def test_a_part_of_a_request_that_never_ends_is_refused(
    start: bytes, unit: bytes, status: int, size: int
) -> None:
    connection = HttpConnection()
    piece = unit * max(1, size // len(unit))
    await connection.receives(start)
    sent = 0
    while not connection.transport.written:
        assert sent < 4 * MAX_HEAD_BYTES + 2 * size
        await connection.receives(piece)
        sent += len(piece)
    assert connection.status == status
    assert b"application/problem+json" in connection.transport.written
    assert connection.transport.has_ended
    scopes = [scope for scope, _ in connection.requests]
    assert all(len(scope["headers"]) < 5 for scope in scopes), "trailers are no headers"


def test_a_server_under_a_flood_of_each_part_keeps_its_memory_and_answers(tmp_path: Path) -> None:
    """Without bounds, each of the first took 13 times what was sent."""
    with ChatServer(tmp_path) as server:
        floods(server, 1 << 18)  # what is loaded with the first refusal stays
        before = resident(server)
        answers = floods(server, 1 << 23)
        grown = resident(server) - before
    assert grown < 16 << 20
    assert [answer[:12] for answer in answers if answer] == [
        b"HTTP/1.1 %d" % status
        for (_, _, status), answer in zip(ENDLESS.values(), answers, strict=True)
        if answer
    ]
    assert sum(map(bool, answers)) > len(ENDLESS) / 2, "a client can read why it was cut off"


def resident(server: ChatServer) -> int:
    """The memory of the server in bytes."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) * 1024


def floods(server: ChatServer, count: int) -> list[bytes]:
    """Send `count` bytes of each endless part, unless the server ends the connection. Returns its answers."""
    answers = []
    for start, unit, _ in ENDLESS.values():
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
            try:
                connection.sendall(start)
                for _ in range(count >> 16):
                    connection.sendall(unit * ((1 << 16) // len(unit)))
            except ConnectionError:
                pass
            try:
                answers.append(connection.recv(100))
            except ConnectionError:
                answers.append(b"")
    return answers


@pytest.mark.parametrize(
    "request_",
    [
        GET + b"a: " + b"x" * (MAX_HEAD_BYTES - 100) + b"\r\n\r\n",
        GET + b"a: b\r\n" * (MAX_HEADER_LINES - 1) + b"\r\n",
        b"GET /" + b"x" * (MAX_TARGET_BYTES - 1) + b" HTTP/1.1\r\nhost: here\r\n\r\n",
        POST + b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n",
        POST + b"1;name=value\r\nx\r\n" * 1000 + b"0\r\na: b\r\n\r\n",
        b"\r\n" + POST + b"20000\r\n" + b"x" * 0x20000 + b"\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 200000\r\n\r\n" + b"x" * 200_000,
    ],
    ids=["head", "headers", "target", "small chunks", "extensions", "large chunk", "body"],
)
@pytest.mark.parametrize("size", [1 << 18, 999])
async def test_a_request_within_the_bounds_is_answered(request_: bytes, size: int) -> None:
    connection = HttpConnection()
    for _ in range(2):  # the second one is counted anew
        await connection.receives(*pieces(request_, size))
    assert connection.transport.written.count(b"HTTP/1.1 204 ") == 2


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[offset : offset + size] for offset in range(0, len(data), size))


async def test_trailers_do_not_become_headers() -> None:
    """The application has authenticated the request by then."""
    connection = HttpConnection()
    await connection.receives(POST + b"1\r\nx\r\n0\r\nauthorization: Bearer stolen\r\n\r\n")
    (scope, body), *_ = connection.requests
    assert (body, [name for name, _ in scope["headers"]]) == (b"x", [b"host", b"transfer-encoding"])


async def test_a_body_that_goes_on_after_the_answer_is_dropped_up_to_a_limit() -> None:
    connection = HttpConnection()
    await connection.receives(POST + b"1\r\nx\r\n")
    connection.protocol.cycle.response_complete = True  # as if the application had answered at once
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    for _ in range(MAX_DROPPED_BYTES // 0x10000):
        await connection.receives(chunk)
    assert not connection.transport.is_closed
    await connection.receives(chunk)
    assert connection.transport.is_closed


async def test_a_refused_client_that_goes_on_sending_is_disconnected() -> None:
    connection = HttpConnection()
    await connection.receives(b"GARBAGE\r\n\r\n")
    assert (connection.status, connection.transport.is_closed) == (400, False)
    for _ in range(MAX_DROPPED_BYTES // (1 << 18) + 1):
        await connection.receives(b"x" * (1 << 18))
    assert connection.transport.is_closed


async def test_thousands_of_requests_in_one_read_are_answered_in_turn_and_parsed_a_few_at_a_time() -> None:
    connection = HttpConnection()
    connection.may_answer.clear()
    await connection.receives((GET + b"\r\n") * 2000)
    assert len(connection.protocol.pipeline) < 200
    connection.may_answer.set()
    for _ in range(200):
        await connection.receives()
    assert connection.transport.written.count(b"HTTP/1.1 204 ") == 2000


async def test_a_client_that_goes_on_sending_behind_unanswered_requests_is_disconnected() -> None:
    connection = HttpConnection()
    connection.may_answer.clear()
    for _ in range(2):
        await connection.receives((GET + b"\r\n") * (MAX_UNPARSED_BYTES // 64))
        assert not connection.transport.is_closed
    await connection.receives((GET + b"\r\n") * (MAX_UNPARSED_BYTES // 64))
    assert connection.transport.is_closed


@pytest.mark.parametrize("next_", [b"GARBAGE\r\n\r\n", b"a" * 100_000])
async def test_no_refusal_is_mixed_into_another_answer(next_: bytes) -> None:
    connection = HttpConnection()
    connection.may_answer.clear()
    await connection.receives(GET + b"\r\n" + next_)
    assert connection.transport.is_closed
    assert not connection.transport.written


async def test_the_parser_still_reports_what_the_bounds_rely_on() -> None:
    """A parser without these callbacks would leave chunks uncounted."""
    calls = []

    class Recorder:
        def __getattr__(self, name: str) -> object:
            return lambda *arguments: calls.append(name)

    parser = httptools.HttpRequestParser(Recorder())
    parser.feed_data(POST + b"1;x\r\nx\r\n0\r\na: b\r\n\r\n")
    names = [name for name, _ in itertools.groupby(calls)]
    for name in ("on_url", "on_headers_complete", "on_chunk_header", "on_body", "on_message_complete"):
        assert name in names
