"""The pages for people: an index, the API documents (without a CDN), and a page for trying the chat."""

import base64
import hashlib
import re
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
"""Swagger UI and ReDoc, from `python -m tools.docs_assets`."""
FAVICON = "/static/favicon.svg"
OAUTH2_REDIRECT = "/docs/oauth2-redirect"

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

router = APIRouter(include_in_schema=False)


def mount(app: FastAPI) -> None:
    """Serve the assets of the pages."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.include_router(router)


@router.get("/")
async def index(request: Request) -> Response:
    """An index of the server. Browsers are redirected to the test page."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/test")
    accounts = samples.ACCOUNTS if parts_of(request).settings.with_samples else ()
    return JSONResponse(
        {
            "name": "chat-backend",
            "version": __version__,
            "description": "A real-time chat backend: REST for accounts, rooms and history, WebSocket for live events.",
            "docs": "/docs",
            "redoc": "/redoc",
            "openapi": "/openapi.json",
            "asyncapi": "/asyncapi",
            "test": "/test",
            "health": "/health",
            "websocket": "/ws/chat/{room_id}?token={jwt_token}",
            "sample_accounts": [{"username": name, "password": password} for name, password in accounts],
        }
    )


@router.get("/test")
async def test_page() -> Response:
    """The test page: two users side by side."""
    return FileResponse(STATIC / "test.html", headers={"Content-Security-Policy": PAGE_POLICY})


@router.get("/asyncapi.json")
async def asyncapi_document(request: Request) -> Response:
    """The socket protocol, for programs."""
    protocol: Literal["ws", "wss"] = "wss" if request.url.scheme == "https" else "ws"
    return JSONResponse(asyncapi.document(request.url.netloc, protocol))


@router.get("/asyncapi")
async def asyncapi_page() -> Response:
    """The socket protocol, for people."""
    return FileResponse(STATIC / "asyncapi.html", headers={"Content-Security-Policy": PAGE_POLICY})


@router.get("/favicon.ico")
async def favicon() -> Response:
    return FileResponse(STATIC / "favicon.svg", media_type="image/svg+xml")


@router.get("/docs")
async def swagger(request: Request) -> Response:
    """Swagger UI."""
    app = request.app
    page = get_swagger_ui_html(
        openapi_url=app.openapi_url,
        title=f"{app.title} · API",
        oauth2_redirect_url=OAUTH2_REDIRECT,
        swagger_js_url=f"{DOCS_ASSETS}/swagger-ui-dist/swagger-ui-bundle.js",
        swagger_css_url=f"{DOCS_ASSETS}/swagger-ui-dist/swagger-ui.css",
        swagger_favicon_url=FAVICON,
        swagger_ui_parameters={"persistAuthorization": True, "tryItOutEnabled": True},
    )
    return _with_policy(page)


@router.get(OAUTH2_REDIRECT)
async def swagger_redirect() -> Response:
    return _with_policy(get_swagger_ui_oauth2_redirect_html())


@router.get("/redoc")
async def redoc(request: Request) -> Response:
    """ReDoc."""
    app = request.app
    page = get_redoc_html(
        openapi_url=app.openapi_url,
        title=f"{app.title} · API",
        redoc_js_url=f"{DOCS_ASSETS}/redoc/redoc.standalone.js",
        redoc_favicon_url=FAVICON,
        with_google_fonts=False,
    )
    return _with_policy(page)


def _with_policy(page: HTMLResponse) -> HTMLResponse:
    """Add a policy that allows exactly the inline scripts of the page, by their hashes (CSP level 2)."""
    inline = re.findall(rb"<script>(.*?)</script>", bytes(page.body), re.DOTALL)
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in inline
    )
    page.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; worker-src blob:; base-uri 'none'; frame-ancestors 'none'"
    )
    return page
