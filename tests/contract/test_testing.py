"""The section "Testing" of the document: its three addresses, and that their pages need no other host."""

import re
import sqlite3
from pathlib import Path

import httpx
import pytest

from tests.support.server import ChatServer, wait_until

EXTERNAL = re.compile(r"""(?:src|href|url|import|from)\s*[=(]?\s*["']?((?:https?:)?//[^"'\s)>]+)""")
"""Markup and code that would make a browser connect to another host."""
COMMENT = re.compile(r"/\*.*?\*/|^\s*//.*?$", re.DOTALL | re.MULTILINE)
IMPORT = re.compile(r"""(?:from|import|url\()\s*["']?(\.[^"')\s]+)""")


def assets(page: str) -> list[str]:
    return re.findall(r"""(?:src|href)=["']([^"'#]+)["']""", page)


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/test"])
async def test_pages_load_nothing_from_other_hosts(server: ChatServer, path: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as browser:
        answer = await browser.get(path)
        assert answer.status_code == 200
        assert "text/html" in answer.headers["Content-Type"]
        assert EXTERNAL.findall(answer.text) == []
        assert "http" not in answer.headers["Content-Security-Policy"], "no other host is allowed"
        assert len(assets(answer.text)) >= 2
        for asset in assets(answer.text):
            assert (await browser.get(asset)).status_code == 200, asset


async def test_stylesheets_and_modules_import_nothing_from_other_hosts(server: ChatServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as browser:
        waiting = assets((await browser.get("/test")).text)
        seen: set[str] = set()
        while waiting:
            address = str(httpx.URL(server.url).join(waiting.pop()))
            if address in seen:
                continue
            seen.add(address)
            answer = await browser.get(address)
            assert answer.status_code == 200, address
            code = COMMENT.sub("", answer.text)
            assert address.endswith(".svg") or EXTERNAL.findall(code) == []
            waiting += [str(httpx.URL(address).join(one)) for one in IMPORT.findall(code)]
    assert len(seen) > 10, "the imports of all modules were followed"


async def test_the_api_documentation_pages_load_the_openapi_document(server: ChatServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as browser:
        for path in ("/docs", "/redoc"):
            assert "/openapi.json" in (await browser.get(path)).text
        document = (await browser.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.")


async def test_the_health_check_succeeds(server: ChatServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


def test_the_health_check_fails_when_the_database_is_broken(tmp_path: Path) -> None:
    with ChatServer(tmp_path) as server:
        database = sqlite3.connect(tmp_path / "chat.db")
        database.execute("ALTER TABLE rooms RENAME TO elsewhere")
        database.commit()
        answer = httpx.get(f"{server.url}/health")
        assert answer.status_code == 503
        assert answer.json()["code"] == "database_unavailable"
        database.execute("ALTER TABLE elsewhere RENAME TO rooms")
        database.commit()
        database.close()
        wait_until(lambda: httpx.get(f"{server.url}/health").status_code == 200, "healthy again")


async def test_the_start_page_links_to_every_page(server: ChatServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        links = (await http.get("/")).json()
        for name in ("docs", "redoc", "openapi", "test", "health"):
            assert (await http.get(links[name])).status_code == 200, name
        browser = await http.get("/", headers={"Accept": "text/html"})
    assert browser.headers["Location"] == "/test"
