"""An `Upgrade` to something else than a WebSocket is as if it were not there (RFC 9110 section 7.8)."""

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sockets.http_connection import HttpConnection
from tests.support.people import Person
from tests.support.rawclient import HANDSHAKE, frame
from tests.support.server import DEADLINE, ChatServer

H2C = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAAB\r\n"
TLS = "connection: keep-alive, upgrade\r\nupgrade: TLS/1.0, HTTP/2.0\r\n"
BODY = b'{"content":"hello"}'
FORMS = {
    "content-length": (f"content-length: {len(BODY)}\r\n", BODY),
    "chunked": (
        "transfer-encoding: chunked\r\n",
        b"4\r\n" + BODY[:4] + b"\r\nf;x=y\r\n" + BODY[4:] + b"\r\n0\r\n\r\n",
    ),
    "none": ("", b""),
}
every_form = pytest.mark.parametrize("headers, body", FORMS.values(), ids=list(FORMS))
every_upgrade = pytest.mark.parametrize("upgrade", [H2C, TLS], ids=["h2c", "TLS"])


def request(upgrade: str, headers: str, method: str = "POST") -> bytes:
    return f"{method} /path?query HTTP/1.1\r\nhost: here\r\n{upgrade}{headers}x: y\r\n\r\n".encode()


@every_upgrade
@every_form
async def test_the_body_arrives_however_the_request_is_split(upgrade: str, headers: str, body: bytes) -> None:
    data = request(upgrade, headers) + body
    for cut in range(len(data)):
        connection = HttpConnection()
        await connection.receives(data[:cut], data[cut:])
        ((scope, received),) = connection.requests
        assert (scope["method"], scope["path"], scope["query_string"]) == ("POST", "/path", b"query")
        assert received == (BODY if body else b"")
        assert (b"x", b"y") in scope["headers"]
        assert b"upgrade" not in dict(scope["headers"])
        assert connection.status == 204
        assert connection.loop.running == []


@every_upgrade
@every_form
async def test_further_requests_on_the_connection_are_answered(
    upgrade: str, headers: str, body: bytes
) -> None:
    connection = HttpConnection()
    await connection.receives((request(upgrade, headers) + body) * 3 + request("", headers) + body)
    for _ in range(5):
        await connection.receives()
    assert [received for _, received in connection.requests] == [BODY if body else b""] * 4


async def test_a_client_that_waits_for_100_continue_gets_it() -> None:
    connection = HttpConnection()
    headers, body = FORMS["content-length"]
    await connection.receives(request(H2C, headers + "expect: 100-continue\r\n"))
    assert connection.transport.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    await connection.receives(body)
    assert connection.requests[0][1] == BODY


WEBSOCKET = HANDSHAKE.format(path="/", port=1, headers="").encode()


@pytest.mark.parametrize(
    "head",
    [
        WEBSOCKET.replace(b"GET", b"POST"),
        WEBSOCKET.replace(b"HTTP/1.1", b"HTTP/1.0"),
        WEBSOCKET.replace(b"Connection: Upgrade", b"Connection: close"),
        WEBSOCKET.replace(b"Upgrade: websocket", b"Upgrade: websockets"),
    ],
    ids=["POST", "HTTP/1.0", "without Connection", "another protocol"],
)
async def test_what_is_no_handshake_is_a_plain_request(head: bytes) -> None:
    connection = HttpConnection()
    await connection.receives(head)
    assert [scope["type"] for scope, _ in connection.requests] == ["http"]
    assert connection.status == 204


@pytest.mark.parametrize(
    "head",
    [
        WEBSOCKET.replace(b"Connection: Upgrade", b"Connection: keep-alive\r\nConnection: upgrade"),
        WEBSOCKET.replace(b"Connection: Upgrade", b"Connection: Upgrade, Keep-Alive"),
        WEBSOCKET.replace(b"websocket", b"WebSocket"),
    ],
    ids=["two lines", "a list", "upper case"],
)
async def test_every_spelling_of_a_handshake_is_one(head: bytes) -> None:
    connection = HttpConnection()
    await connection.receives(head)
    assert [scope["type"] for scope, _ in connection.requests] == ["websocket"]
    assert connection.status == 101


async def test_a_handshake_with_a_line_that_is_too_long_is_refused() -> None:
    connection = HttpConnection()
    await connection.receives(
        HANDSHAKE.format(path="/", port=1, headers="cookie: " + "x" * 9000 + "\r\n").encode()
    )
    assert (connection.status, connection.requests) == (431, [])


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
async def test_a_handshake_after_requests_on_the_same_connection_gets_its_frames(size: int) -> None:
    headers, body = FORMS["chunked"]
    data = request(H2C, headers) + body + WEBSOCKET + frame(b"early")
    connection = HttpConnection()
    for offset in range(0, len(data), size):
        await connection.receives(data[offset : offset + size])
    assert [scope["type"] for scope, _ in connection.requests] == ["http", "websocket"]
    assert connection.transport.written.count(b"HTTP/1.1 101 ") == 1


JAVA = """
import java.net.URI;
import java.net.http.*;
import java.nio.file.*;

public class Client {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (int round = 0; round < 2; round++)
            for (boolean expects : new boolean[] {false, true})
                for (boolean chunked : new boolean[] {false, true}) {
                    byte[] body = arguments[2].getBytes("UTF-8");
                    HttpRequest.BodyPublisher publisher = HttpRequest.BodyPublishers.ofByteArray(body);
                    if (chunked) publisher = HttpRequest.BodyPublishers.fromPublisher(publisher);
                    HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0]))
                        .header("Authorization", "Bearer " + arguments[1])
                        .header("Content-Type", "application/json")
                        .expectContinue(expects).POST(publisher).build();
                    System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
                }
    }
}
"""


@pytest.mark.skipif(shutil.which("java") is None, reason="needs Java 11 or newer")
def test_javas_http_client_sends_messages(
    server: ChatServer, alice: Person, room: int, tmp_path: Path
) -> None:
    """It asks for h2c with every request to an http address."""
    source = tmp_path / "Client.java"
    source.write_text(JAVA)
    address = f"{server.url}/api/messages/{room}"
    command = ["java", str(source), address, alice.token, BODY.decode()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.stdout.split() == ["201"] * 8, done.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize(
    "options",
    [
        list(itertools.chain(*chosen))
        for chosen in itertools.product(
            ([], ["-H", "Transfer-Encoding: chunked"]), ([], ["-H", "Expect: 100-continue"])
        )
    ],
    ids=" ".join,
)
def test_curl_with_http2_sends_a_message(
    server: ChatServer, alice: Person, room: int, options: list[str]
) -> None:
    text = "x" * 5000
    command = ["curl", "-sS", "--http2", "--max-time", "20", *options]
    command += ["-H", f"Authorization: Bearer {alice.token}", "-H", "Content-Type: application/json"]
    command += ["-d", json.dumps({"content": text}), f"{server.url}/api/messages/{room}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert json.loads(done.stdout)["message"] == text, done.stderr
