"""The pages for people: an index, the API documents (without a CDN), and a page for trying the chat."""

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html, get_swagger_ui_oauth2_redirect_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

from app import __version__
from app.routers.http.parts import parts_of
from app.schemas.asyncapi import document as asyncapi
from app.services import samples

STATIC = Path(__file__).parents[1] / "static"
DOCS_ASSETS = "/static/docs"
"""Swagger UI and ReDoc, from `tools/docs_assets.py`."""
FAVICON = "/static/favicon.svg"
OAUTH2_REDIRECT = "/docs/oauth2-redirect"

CONTENT_POLICY = "Content-Security-Policy"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

index_router = APIRouter(include_in_schema=False)
docs_router = APIRouter(include_in_schema=False)
test_router = APIRouter(include_in_schema=False)


def mount(app: FastAPI, pages: Literal["none", "docs", "all"]) -> None:
    """Serve the index, and those of the pages that are open, with their assets."""
    app.include_router(index_router)
    if pages == "none":
        return
    app.include_router(docs_router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    if pages == "all":
        app.include_router(test_router)


@index_router.get("/")
async def index(request: Request) -> Response:
    """An index of the server. Browsers are redirected to the first page."""
    settings = parts_of(request).settings
    docs = {"docs": "/docs", "redoc": "/redoc", "openapi": "/openapi.json", "asyncapi": "/asyncapi"}
    pages = {"none": {}, "docs": docs, "all": {"test": "/test"} | docs}[settings.open_pages]
    root = _root(request)
    if pages and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(root + next(iter(pages.values())))
    accounts = samples.ACCOUNTS if settings.with_samples else ()
    addresses = pages | {"health": "/health", "websocket": "/ws/chat/{room_id}?token={jwt_token}"}
    return JSONResponse(
        {
            "name": "chat-backend",
            "version": __version__,
            "description": "A real-time chat backend: REST for accounts, rooms and history, WebSocket for live events.",
            **{name: root + address for name, address in addresses.items()},
            "sample_accounts": [{"username": name, "password": password} for name, password in accounts],
        }
    )


@test_router.get("/test")
async def test_page(request: Request) -> Response:
    """The test page: two users side by side."""
    return _page("test.html", request)


@docs_router.get("/asyncapi.json")
async def asyncapi_document(request: Request) -> Response:
    """The socket protocol, for programs."""
    protocol: Literal["ws", "wss"] = "wss" if request.url.scheme == "https" else "ws"
    return JSONResponse(asyncapi.document(request.url.netloc, protocol, _root(request)))


@docs_router.get("/asyncapi")
async def asyncapi_page(request: Request) -> Response:
    """The socket protocol, for people."""
    return _page("asyncapi.html", request)


@docs_router.get("/favicon.ico")
async def favicon() -> Response:
    return FileResponse(STATIC / "favicon.svg", media_type="image/svg+xml")


@docs_router.get("/docs")
async def swagger(request: Request) -> Response:
    """Swagger UI."""
    app, root = request.app, _root(request)
    page = get_swagger_ui_html(
        openapi_url=root + app.openapi_url,
        title=f"{app.title} · API",
        oauth2_redirect_url=root + OAUTH2_REDIRECT,
        swagger_js_url=f"{root}{DOCS_ASSETS}/swagger-ui-dist/swagger-ui-bundle.js",
        swagger_css_url=f"{root}{DOCS_ASSETS}/swagger-ui-dist/swagger-ui.css",
        swagger_favicon_url=root + FAVICON,
        # Outside of localhost, Swagger UI would ask a validator on the internet to read the document.
        swagger_ui_parameters={"persistAuthorization": True, "tryItOutEnabled": True, "validatorUrl": None},
    )
    return _with_policy(page)


@docs_router.get(OAUTH2_REDIRECT)
async def swagger_redirect() -> Response:
    return _with_policy(get_swagger_ui_oauth2_redirect_html())


@docs_router.get("/redoc")
async def redoc(request: Request) -> Response:
    """ReDoc."""
    app, root = request.app, _root(request)
    page = get_redoc_html(
        openapi_url=root + app.openapi_url,
        title=f"{app.title} · API",
        redoc_js_url=f"{root}{DOCS_ASSETS}/redoc/redoc.standalone.js",
        redoc_favicon_url=root + FAVICON,
        with_google_fonts=False,
    )
    return _with_policy(page)


def _root(request: Request) -> str:
    """Where the addresses of this server begin: "", or its path behind a proxy."""
    root: str = request.scope.get("root_path", "")
    return root


def _page(name: str, request: Request) -> Response:
    if root := _root(request):
        return HTMLResponse(_below(root, name), headers={CONTENT_POLICY: PAGE_POLICY})
    return FileResponse(STATIC / name, headers={CONTENT_POLICY: PAGE_POLICY})


@lru_cache
def _below(root: str, name: str) -> str:
    """A page whose links begin with this path."""
    return (STATIC / name).read_text(encoding="utf-8").replace('="/', f'="{root}/')


def _with_policy(page: HTMLResponse) -> HTMLResponse:
    """Add a policy that allows exactly the inline scripts of the page, by their hashes (CSP level 2)."""
    inline = re.findall(rb"<script>(.*?)</script>", bytes(page.body), re.DOTALL)
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in inline
    )
    page.headers[CONTENT_POLICY] = (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; worker-src blob:; base-uri 'none'; frame-ancestors 'none'"
    )
    return page
