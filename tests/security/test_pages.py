"""Which pages are open, and that none of them asks another site."""

from pathlib import Path
from typing import Literal

import httpx
import pytest

from app.core.config import Settings
from app.main import create_app
from tests.support.server import ChatServer

KEY = "a key of its own, long enough for a server"
DOCS = ["/docs", "/redoc", "/openapi.json", "/asyncapi", "/asyncapi.json", "/docs/oauth2-redirect"]
ASSETS = [
    "/static/js/main.js",
    "/static/docs/swagger-ui-dist/swagger-ui.css",
    "/static/docs/redoc/redoc.standalone.js",
    "/favicon.ico",
]
Pages = Literal["none", "docs", "all"]


def client(environment: str, pages: Pages | None) -> httpx.AsyncClient:
    given = {"environment": environment, "pages": pages, "secret_key": KEY}
    app = create_app(Settings.model_validate(given))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")


@pytest.mark.parametrize(
    "environment, pages, is_open",
    [
        ("development", None, "all"),
        ("production", None, "none"),
        ("development", "none", "none"),
        ("production", "docs", "docs"),
        ("production", "all", "all"),
    ],
)
async def test_pages_are_open_in_development_and_in_production_if_wanted(
    environment: str, pages: Pages | None, is_open: Pages
) -> None:
    expected = {"none": [], "docs": DOCS + ASSETS, "all": [*DOCS, *ASSETS, "/test"]}[is_open]
    async with client(environment, pages) as http:
        for path in (*DOCS, *ASSETS, "/test"):
            assert (await http.get(path)).status_code == (200 if path in expected else 404), path


def test_the_index_names_only_what_is_open(tmp_path: Path) -> None:
    with ChatServer(tmp_path, environment="production", secret_key=KEY) as server:
        for accept in ("text/html", "application/json"):
            answer = httpx.get(server.url, headers={"Accept": accept})
            assert answer.status_code == 200
            assert not answer.json().keys() & {"docs", "redoc", "openapi", "asyncapi", "test"}
    assert "the API" not in server.log.read_text()
    assert "try it" not in server.log.read_text()
    with ChatServer(tmp_path, environment="production", secret_key=KEY, pages="docs") as server:
        assert "test" not in httpx.get(server.url).json()
        assert httpx.get(server.url, headers={"Accept": "text/html"}).headers["Location"] == "/docs"
    assert "/docs" in server.log.read_text()


async def test_the_api_documents_ask_no_other_site() -> None:
    """The policy would forbid it, but a browser would complain, and its policy may be switched off."""
    async with client("development", None) as http:
        script = (await http.get("/static/docs/redoc/redoc.standalone.js")).text
        swagger = (await http.get("/docs")).text
    assert "cdn.redoc.ly" not in script
    assert '"validatorUrl": null' in swagger, "or it would send the document's address to a validator"
