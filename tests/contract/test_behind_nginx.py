"""`docs/deploy.md` behind the real nginx, over TLS, with the configuration as it stands there."""

import os
import shutil
import ssl
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
import websockets

from tests.docs.documents import DOCS, block
from tests.support.nginx import NAME, Nginx, find_nginx
from tests.support.people import Seat, sign_up
from tests.support.server import ROOT, ChatServer, free_port, wait_until

pytestmark = pytest.mark.xdist_group("nginx")

PAGE = f"https://{NAME}"
needs_nginx = pytest.mark.skipif(
    find_nginx() is None and not os.environ.get("CI"), reason="nginx is not installed (Debian: nginx-light)"
)


@pytest.fixture(scope="module")
def nginx(production: ChatServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with Nginx(tmp_path_factory.mktemp("nginx"), production.port).running() as running:
        yield running


@pytest.fixture
async def token(production: ChatServer) -> str:
    person = await sign_up(production, f"behind nginx {free_port()}")
    await person.http.aclose()
    return person.token


def client(nginx: Nginx) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=nginx.url, verify=nginx.tls, headers={"Host": NAME})


def connect(nginx: Nginx, path: str, **options: object) -> websockets.connect:
    """A browser's socket on a page of this site."""
    return websockets.connect(
        f"wss://{NAME}{path}",
        ssl=nginx.tls,
        host="127.0.0.1",
        port=nginx.port,
        proxy=None,
        origin=websockets.Origin(PAGE),
        **options,  # type: ignore[arg-type]
    )


@needs_nginx
async def test_a_conversation_over_tls_leaves_no_token_in_a_log(nginx: Nginx, token: str) -> None:
    async with client(nginx) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        room = (await http.post("/api/rooms", json={"name": "Behind nginx"})).json()["id"]
        async with connect(nginx, f"/ws/chat/{room}?token={token}") as socket:
            seat = Seat(socket)
            await seat.says("through nginx")
            await seat.hears(message="through nginx")
        page = await http.get(f"/api/messages/{room}?limit=1")
    assert page.links["next"]["url"].endswith(f"/api/messages/{room}?limit=1&after=1")
    wait_until(lambda: f"/ws/chat/{room}" in nginx.log, "the socket is logged")
    assert token not in nginx.log


@needs_nginx
async def test_a_failed_request_leaves_no_token_in_a_log(tmp_path: Path) -> None:
    """While the server is down, nginx reports errors, and would repeat the request line."""
    with Nginx(tmp_path, free_port()).running() as nginx:
        async with client(nginx) as http:
            for path in ("/ws/chat/1?token=canary", "/api/rooms?token=canary"):
                assert (await http.get(path)).status_code == 502
        wait_until(lambda: "/api/rooms" in nginx.log, "the request is logged")
        assert "canary" not in nginx.log


@needs_nginx
@pytest.mark.parametrize(
    "version, is_accepted", [("TLSv1", False), ("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)]
)
def test_only_current_versions_of_tls_are_accepted(nginx: Nginx, version: str, is_accepted: bool) -> None:
    context = ssl.create_default_context(cafile=str(nginx.folder / "fullchain.pem"))
    context.set_ciphers("ALL:@SECLEVEL=0")  # this side would accept anything
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    try:
        answer = httpx.get(f"{nginx.url}/health", verify=context)
    except httpx.ConnectError:
        assert not is_accepted
    else:
        assert is_accepted
        assert answer.status_code == 200


@needs_nginx
async def test_every_answer_asks_for_tls_and_hides_versions(nginx: Nginx) -> None:
    async with client(nginx) as http:
        for path in ("/health", "/docs", "/nothing", "/api/rooms"):
            headers = (await http.get(path)).headers
            assert headers.get_list("Strict-Transport-Security") == ["max-age=31536000; includeSubDomains"]
            assert headers["Server"] == "nginx"
            assert headers["X-Content-Type-Options"] == "nosniff"


@needs_nginx
async def test_without_tls_pages_are_redirected_and_programs_refused(nginx: Nginx) -> None:
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{nginx.plain_port}", headers={"Host": NAME}
    ) as http:
        for page in ("/", "/test", "/docs"):
            assert (await http.get(page)).headers["Location"] == f"{PAGE}{page}"
        for path in ("/api/rooms", "/ws", "/ws/chat/1?token=canary"):
            assert (await http.get(path)).status_code == 403
    assert "canary" not in nginx.log


@needs_nginx
async def test_bodies_and_connections_are_limited(production: ChatServer, tmp_path: Path, token: str) -> None:
    with Nginx(tmp_path, production.port, limit_conn="chat_connections 2").running() as nginx:
        async with client(nginx) as http:
            large = await http.post("/api/rooms", content=b"x" * 131_073)
            assert large.status_code == 413
        async with AsyncExitStack() as open_sockets:
            for _ in range(2):
                await open_sockets.enter_async_context(connect(nginx, f"/ws?token={token}"))
            with pytest.raises(websockets.InvalidStatus) as refused:
                await open_sockets.enter_async_context(connect(nginx, f"/ws?token={token}"))
    assert refused.value.response.status_code == 429


@needs_nginx
async def test_an_upgrade_to_http2_loses_no_body(nginx: Nginx, token: str) -> None:
    """Java's HttpClient and `curl --http2` ask for one with every request."""
    upgrade = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAMAAABkAAQAAP__",
    }
    async with client(nginx) as http:
        answer = await http.post(
            "/api/rooms", json={"name": "By Java"}, headers=upgrade | {"Authorization": f"Bearer {token}"}
        )
    assert (answer.status_code, answer.json()["name"]) == (201, "By Java")


@needs_nginx
async def test_the_address_that_a_client_claims_is_replaced(tmp_path: Path) -> None:
    """With a limit of two attempts, a third is refused, whatever the client writes into its headers."""
    with ChatServer(tmp_path, logins_per_minute=2) as server:
        folder = tmp_path / "nginx"
        folder.mkdir()
        login = {"username": "user1", "password": "not the password"}
        with Nginx(folder, server.port).running() as nginx:
            async with client(nginx) as http:
                answers = [
                    await http.post(
                        "/api/auth/login", json=login, headers={"X-Forwarded-For": f"203.0.113.{n}"}
                    )
                    for n in range(3)
                ]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


def unit(python: str) -> str:
    return block(DOCS / "deploy.md", "ini", "[Unit]").replace("/srv/chat/app/.venv/bin/python", python)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_systemd_unit_is_valid_and_confined(tmp_path: Path) -> None:
    file = tmp_path / "chat.service"
    file.write_text(unit(sys.executable))
    verified = subprocess.run(
        ("systemd-analyze", "verify", str(file)), capture_output=True, text=True, check=False, timeout=60
    )
    assert "chat.service:" not in verified.stderr, verified.stderr
    rated = subprocess.run(
        ("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(file)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert rated.returncode == 0, rated.stdout[-300:]


WRITE_XOR_EXECUTE = """
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).prctl(65, 1, 0, 0, 0):  # PR_SET_MDWE, as MemoryDenyWriteExecute asks for
    sys.exit(75)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def can_write_xor_execute() -> bool:
    probe = subprocess.run((sys.executable, "-c", WRITE_XOR_EXECUTE, "-c", ""), check=False)
    return probe.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
async def test_the_server_needs_no_memory_that_is_writable_and_executable(tmp_path: Path) -> None:
    if not can_write_xor_execute():
        pytest.skip("the kernel is older than 6.3")
    command = (sys.executable, "-c", WRITE_XOR_EXECUTE, str(ROOT / "run.py"))
    with ChatServer(tmp_path, command) as server:
        person = await sign_up(server, "confined")
        async with person.enters(1) as here:
            await here.says("without new code")
            await here.hears(message="without new code")
        await person.http.aclose()
