"""Hostile paths, queries, headers and forms."""

import json
import socket
from urllib.parse import urlencode

import httpx
import pytest
import websockets

from tests.support.people import PATIENCE, Person
from tests.support.problems import check_problem
from tests.support.server import ChatServer

INVALID_IDS = (
    "0",
    "-1",
    str(2**53),
    str(2**63),
    str(10**30),
    "1" * 5000,
    "1.5",
    "1e3",
    "abc",
    "null",
    "0x1",
    "+1",
    "1_000",
    "%201",
    "1.0",
)
ODD_TEXT = ("%00", "1%00", "%ED%A0%80", "%ff", "%F0%9F%92%A9", "%E2%80%AE1", "%D9%A7")
"""NUL, half a surrogate pair, a byte that is not UTF-8, an emoji, a directional override, an Arabic seven."""

every_room_path = pytest.mark.parametrize(
    "path",
    [
        "/api/rooms/{}",
        "/api/rooms/{}/presence",
        "/api/messages/{}",
        "/api/messages/{}/recent",
        "/api/messages/{}/changes",
    ],
)


@every_room_path
async def test_an_invalid_room_id_is_a_problem(alice: Person, path: str) -> None:
    for number in INVALID_IDS:
        assert check_problem(await alice.http.get(path.format(number)), 422) == "validation_failed", number
    for number in ODD_TEXT:
        check_problem(await alice.http.get(path.format(number)), 404, 422)


async def test_an_invalid_message_id_is_a_problem(alice: Person, room: int) -> None:
    for number in (*INVALID_IDS, *ODD_TEXT):
        address = f"/api/messages/{room}/{number}"
        check_problem(await alice.http.patch(address, json={"content": "x"}), 404, 405, 422)
        check_problem(await alice.http.delete(address), 404, 405, 422)


@pytest.mark.parametrize(
    "query, wrong",
    [
        (
            "limit",
            ("-1", "0", "201", "text", "", "1.5", "1e2", "1e999", "NaN", "null", "[]", "9" * 5000, *ODD_TEXT),
        ),
        ("before", ("-1", str(2**53), str(10**30), "text", "", *ODD_TEXT)),
        ("after", ("-1", str(2**53), str(10**30), "text", "", *ODD_TEXT)),
    ],
)
async def test_invalid_parameters_of_a_page_are_a_problem(
    alice: Person, room: int, query: str, wrong: tuple[str, ...]
) -> None:
    for value in wrong:
        answer = await alice.http.get(f"/api/messages/{room}?{query}={value}")
        assert check_problem(answer, 422) == "validation_failed", value
        assert query in answer.json()["detail"]


@pytest.mark.parametrize(
    "query, wrong", [("since", ("-1", str(2**53), "text")), ("limit", ("-1", "0", "1001", "x"))]
)
async def test_invalid_parameters_of_changes_are_a_problem(
    alice: Person, room: int, query: str, wrong: tuple[str, ...]
) -> None:
    for value in wrong:
        answer = await alice.http.get(f"/api/messages/{room}/changes", params={query: value})
        assert check_problem(answer, 422) == "validation_failed", value


async def test_an_unknown_query_parameter_is_refused_by_name(alice: Person, room: int) -> None:
    for odd, named in {
        "%ED%A0%80=%ED%A0%80": "\ufffd" * 3 + ": ",
        "&&&===": "",
        "a" * 7_000: "a" * 32 + "…: ",
        "%00": "\ufffd: ",
        "limit=1&x[]=%": "x[]: ",
    }.items():
        answer = await alice.http.get(f"/api/messages/{room}?{odd}")
        assert check_problem(answer, 422) == "validation_failed"
        assert answer.json()["detail"] == f"{named}There is no such parameter."
    answer = await alice.http.get(f"/api/messages/{room}?befor=7")
    assert answer.json()["detail"] == "befor: There is no such parameter; the nearest is before."
    assert answer.json()["errors"][0]["loc"] == ["query", "befor"]


async def test_every_endpoint_of_the_api_refuses_unknown_query_parameters(alice: Person, room: int) -> None:
    paths: dict[str, dict[str, object]] = (await alice.get("/openapi.json"))["paths"]
    found = 0
    for path in (path for path in paths if path.startswith("/api/")):
        address = path.format(room_id=room, message_id=1, session_id="none")
        for method in paths[path]:
            answer = await alice.http.request(method, address + "?colour=red")
            assert check_problem(answer, 422) == "validation_failed", (method, path)
            assert answer.json()["detail"].startswith("colour: "), (method, path)
            found += 1
    assert found >= 15


async def test_parameters_that_are_added_on_the_way_change_nothing(alice: Person, room: int) -> None:
    await alice.http.post(f"/api/messages/{room}", json={"content": "here"})
    answer = await alice.http.get(f"/api/messages/{room}?utm_source=mail&_=1712&limit=1&utm_=")
    assert [message["message"] for message in answer.json()] == ["here"]


@pytest.mark.parametrize(
    "path, reason",
    [
        ("/ws/chat/{room}?token={token}&sinc=5", "sinc: There is no such parameter; the nearest is since."),
        ("/ws/chat/{room}?Token={token}", "Token: There is no such parameter; the nearest is token."),
        ("/ws?token={token}&since=5", "since: There is no such parameter."),
        ("/ws?token={token}&" + "%F0%9F%98%80" * 100, "😀" * 28),
        ("/ws?_=1&utm_source=x&colour=red", "colour: There is no such parameter."),
    ],
)
async def test_an_unknown_parameter_of_a_socket_is_refused_by_name(
    alice: Person, room: int, path: str, reason: str
) -> None:
    """The reason of a close frame has 123 bytes."""
    address = alice.server.ws + path.format(room=room, token=alice.token)
    async with websockets.connect(address) as socket:
        with pytest.raises(websockets.ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4400
        assert socket.close_reason is not None
        assert socket.close_reason.startswith(reason)
        assert len(socket.close_reason.encode()) <= 123


async def test_parameters_that_are_added_to_the_address_of_a_socket_change_nothing(
    alice: Person, room: int
) -> None:
    address = f"{alice.server.ws}/ws/chat/{room}?_=1&token={alice.token}&utm_x=1"
    async with websockets.connect(address) as socket:
        assert json.loads(await socket.recv())["type"] == "ready"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api",
        "/api/nothing",
        "/api/rooms/1/nothing",
        "/static/..%2f..%2frun.py",
        "/static/%00",
        "/static/" + "a" * 5000,
        "/static/docs/%ED%A0%80",
    ],
)
async def test_an_unknown_path_is_a_problem(alice: Person, path: str) -> None:
    assert check_problem(await alice.http.get(path), 404) == "not_found"


async def test_an_unsupported_method_is_a_problem(alice: Person) -> None:
    for method in ("DELETE", "PUT", "TRACE", "PROPFIND"):
        assert check_problem(await alice.http.request(method, "/api/rooms"), 405) == "method_not_allowed"


async def test_arbitrary_bytes_are_a_problem_in_authorization_and_ignored_in_user_agent(
    server: ChatServer,
) -> None:
    """Raw bytes: half a surrogate pair, all of Latin-1, a very long value."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        for value in (
            b"\xed\xa0\x80",
            bytes(range(0xA0, 0x100)),
            b"x" * 60_000,
            b"a.b.c",
            b"\xf0\x9f\x92\xa9",
        ):
            answer = await http.get("/api/auth/me", headers={b"Authorization": b"Bearer " + value})
            assert check_problem(answer, 401) == "invalid_token"
            answer = await http.get("/api/auth/me", headers={b"Authorization": value})
            assert check_problem(answer, 401) == "invalid_token"
            login = await http.post(
                "/api/auth/login",
                json={"username": "user1", "password": "password123"},
                headers={b"User-Agent": value},
            )
            assert login.status_code == 200, "the User-Agent is not interpreted"


FORM = {"grant_type": "password", "username": "user1", "password": "password123"}


@pytest.mark.parametrize(
    "content, kind",
    [
        (urlencode(FORM | {"username": "\0"}), "application/x-www-form-urlencoded"),
        ("username=%ED%A0%80&password=%ED%A0%80", "application/x-www-form-urlencoded"),
        ("username=%ff&password=%ff", "application/x-www-form-urlencoded"),
        (urlencode(FORM | {"password": "x" * 60_000}), "application/x-www-form-urlencoded"),
        (urlencode(FORM | {"grant_type": "implicit"}), "application/x-www-form-urlencoded"),
        ("username=user1", "application/x-www-form-urlencoded"),
        ("&" * 60_000, "application/x-www-form-urlencoded"),
        ("a=b&" * 2_000, "application/x-www-form-urlencoded"),
        ("--b\r\nnonsense", "multipart/form-data; boundary=b"),
        ("--b\r\n" * 10_000, "multipart/form-data; boundary=b"),
        ("{}", "multipart/form-data"),
        ("{}", "application/json"),
    ],
)
async def test_a_malformed_form_is_a_problem(server: ChatServer, content: str, kind: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/api/auth/token", content=content, headers={"Content-Type": kind})
    check_problem(answer, 400, 401, 422)


@pytest.mark.parametrize(
    "charset", ["undefined", "idna", "punycode", "unicode_escape", "utf-7", "utf-16", "rot13", "no such"]
)
async def test_a_form_in_an_odd_charset_is_a_problem(server: ChatServer, charset: str) -> None:
    """The multipart parser decodes with any Python codec that the request names, and some yield surrogates."""
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n\\ud800\xff\r\n' for name in FORM]
    content = ("".join(parts) + "--b--\r\n").encode("latin-1")
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/api/auth/token", content=content, headers={"Content-Type": kind})
    check_problem(answer, 400, 401, 422)


@pytest.mark.parametrize("host", ["", "a:99999999", "x" * 10_000, "[", "[::1", "a b", "a@b", '"><script>'])
async def test_an_odd_host_header_changes_no_answer_and_an_invalid_one_is_refused(
    alice: Person, room: int, host: str
) -> None:
    """Links are built from the host. HTTP libraries refuse to send such hosts, so the request is raw bytes."""
    await alice.http.post(f"/api/messages/{room}", json={"content": "here"})
    for path, status in (
        (f"/api/messages/{room}", b" 200 "),
        ("/nothing/", b" 404 "),
        ("/api/rooms/", b" 200 "),
    ):
        expected = b" 400 " if set(host) & set("[ @<") else status
        head = f"Host: {host}\r\nAuthorization: Bearer {alice.token}\r\nConnection: close\r\n\r\n"
        answer = send_raw(alice.server, f"GET {path} HTTP/1.1\r\n{head}".encode())
        assert expected in answer.split(b"\r\n", 1)[0], answer[:300]
        assert b"<script>" not in answer


def send_raw(server: ChatServer, request: bytes) -> bytes:
    """Send a raw request and return the raw answer, once the server has closed the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize(
    "request_line",
    [b"GARBAGE", b"GET /\xff HTTP/1.1", b"GET / HTTP/9.9", b"GET  HTTP/1.1", b"\x16\x03\x01\x02\x00\x01"],
)
def test_a_request_that_is_not_http_is_answered_with_400(server: ChatServer, request_line: bytes) -> None:
    assert send_raw(server, request_line + b"\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert httpx.get(f"{server.url}/health").status_code == 200
