"""HEAD on every address, a slash at its end, and a path behind a proxy."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import websockets

from app.core.config import ConfigurationError, Settings
from app.main import FIRST_SEGMENTS, create_app
from tests.support.people import Person, sign_in
from tests.support.problems import check_problem
from tests.support.server import ChatServer

PUBLIC = [
    "/",
    "/health",
    "/health/live",
    "/test",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/asyncapi",
    "/asyncapi.json",
]
ASSETS = [
    "/favicon.ico",
    "/static/js/main.js",
    "/static/docs/redoc/redoc.standalone.js",
    "/static/docs/swagger-ui-dist/swagger-ui.css",
]
PRIVATE = [
    "/api/auth/me",
    "/api/auth/sessions",
    "/api/rooms",
    "/api/rooms/{}",
    "/api/messages/{}",
    "/api/messages/{}/recent",
]


@pytest.mark.parametrize("path", PUBLIC + ASSETS + PRIVATE)
async def test_head_is_answered_like_get_without_a_body(alice: Person, room: int, path: str) -> None:
    path = path.format(room)
    get, head = await alice.http.get(path), await alice.http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    volatile = {"date"}
    assert {name: value for name, value in head.headers.items() if name not in volatile} == {
        name: value for name, value in get.headers.items() if name not in volatile
    }


async def test_head_is_refused_like_get(server: ChatServer, alice: Person) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        for path, status in (("/api/rooms", 401), ("/nothing", 404), ("/api/auth/login", 405), ("/ws", 426)):
            assert (await http.head(path)).status_code == status
        answer = await http.put("/api/rooms")
    assert check_problem(answer, 405) == "method_not_allowed"
    assert answer.headers["Allow"] == "GET, HEAD"


async def test_head_is_not_in_the_openapi_document(server: ChatServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        document = (await http.get("/openapi.json")).json()
    methods = {method for path in document["paths"].values() for method in path}
    assert methods <= {"get", "post", "patch", "put", "delete"}
    assert "servers" not in document


@pytest.mark.parametrize("path", PUBLIC[1:] + PRIVATE)
async def test_a_slash_at_the_end_changes_nothing(alice: Person, room: int, path: str) -> None:
    path = path.format(room)
    plain, slashed = await alice.http.get(path), await alice.http.get(path + "/")
    assert (slashed.status_code, slashed.content) == (200, plain.content)


async def test_a_slash_at_the_end_of_a_post_loses_no_body(alice: Person, room: int) -> None:
    answer = await alice.http.post(f"/api/messages/{room}/", json={"content": "hello"})
    assert (answer.status_code, answer.json()["message"]) == (201, "hello")


async def test_a_socket_address_may_end_with_a_slash(alice: Person, room: int) -> None:
    for path in (f"/ws/chat/{room}/", "/ws/"):
        async with websockets.connect(f"{alice.server.ws}{path}?token={alice.token}") as socket:
            assert json.loads(await socket.recv())["type"] == "ready"


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A server that a proxy serves below /apps/chat."""
    with ChatServer(tmp_path_factory.mktemp("below"), root_path="/apps/chat/") as running:
        yield running


@pytest.mark.parametrize("prefix", ["", "/apps/chat"], ids=["removed by the proxy", "kept by the proxy"])
async def test_a_proxy_may_serve_the_chat_below_a_path(below: ChatServer, prefix: str) -> None:
    async with httpx.AsyncClient(base_url=below.url) as http:
        links = (await http.get(f"{prefix}/")).json()
        for name in ("docs", "redoc", "openapi", "asyncapi", "test", "health"):
            assert links[name].startswith("/apps/chat/")
            assert (await http.get(prefix + links[name].removeprefix("/apps/chat"))).status_code == 200
        browser = await http.get(f"{prefix}/", headers={"Accept": "text/html"})
        assert browser.headers["Location"] == "/apps/chat/test"
        for page in ("test", "test/", "asyncapi", "docs", "redoc"):
            text = (await http.get(f"{prefix}/{page}")).text
            addresses = text.replace('"/apps/chat/', "").count('="/') + text.replace(
                "'/apps/chat/", ""
            ).count("'/")
            assert addresses == 0, "every link has the path of the proxy"
            assert "/apps/chat/" in text
        document = (await http.get(f"{prefix}/openapi.json")).json()
        assert document["servers"] == [{"url": "/apps/chat"}]
        (scheme,) = document["components"]["securitySchemes"].values()
        assert scheme["flows"]["password"]["tokenUrl"] == "/apps/chat/api/auth/token"
        assert (await http.get(f"{prefix}/asyncapi.json")).json()["servers"]["this"][
            "pathname"
        ] == "/apps/chat"
        assert (await http.get(f"{prefix}/api/auth/me")).headers["Cache-Control"] == "no-store"
        assert (await http.get(f"{prefix}/static/docs/redoc/redoc.standalone.js")).status_code == 200
        user1 = await sign_in(below, "user1", "password123")
        headers = {"Authorization": f"Bearer {user1.token}"}
        assert (await http.get(f"{prefix}/api/rooms", headers=headers)).status_code == 200
        for path in ("/ws/chat/1", "/ws"):
            async with websockets.connect(f"{below.ws}{prefix}{path}?token={user1.token}") as socket:
                assert json.loads(await socket.recv())["type"] == "ready"
        await user1.http.aclose()
    assert "http://127.0.0.1" in below.log.read_text()
    assert "/apps/chat/test" in below.log.read_text()


async def test_the_path_alone_is_the_index(below: ChatServer) -> None:
    async with httpx.AsyncClient(base_url=below.url) as http:
        assert (await http.get("/apps/chat")).json()["name"] == "chat-backend"
        assert (await http.get("/apps/chatter")).status_code == 404


async def test_uvicorns_own_root_path_is_understood(tmp_path: Path) -> None:
    app = create_app(Settings(_env_file=None, database_url=f"sqlite:///{tmp_path / 'chat.db'}"))
    transport = httpx.ASGITransport(app, root_path="/chat")
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://chat") as http,
    ):
        assert (await http.get("/chat/")).json()["docs"] == "/chat/docs"


@pytest.mark.parametrize("path", ["chat", "/a b", "/a//b", "/<script>", "/ä", "/a?b"])
def test_a_root_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="a path such as /chat"):
        Settings(_env_file=None, root_path=path)


@pytest.mark.parametrize("path", ["/api", "/ws/chat", "/test"])
def test_a_root_path_that_begins_like_an_address_of_the_server_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match=f"ROOT_PATH={path} begins like"):
        create_app(Settings(_env_file=None, root_path=path))


async def test_the_beginnings_of_all_addresses_are_known(server: ChatServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        links = (await http.get("/")).json()
        paths = [
            *(await http.get("/openapi.json")).json()["paths"],
            *(links[name] for name in links if links[name]),
        ]
    found = {path.split("/")[1] for path in paths if isinstance(path, str) and path.startswith("/")}
    assert found | {"static", "asyncapi.json", "favicon.ico"} == FIRST_SEGMENTS
