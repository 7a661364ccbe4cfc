"""Links to other pages of a list (RFC 8288), and the media type of its encoded pages."""

from starlette.requests import Request

JSON = "application/json"
CURSORS = ("after", "before")


def link(rel: str, request: Request, cursor: dict[str, int], without: str = "") -> str:
    """A link to the page of this list at another cursor; `without` is the end of the path that the list does not
    have."""
    url = request.url.replace(path=request.url.path.removesuffix(without))
    url = url.remove_query_params(CURSORS).include_query_params(**cursor)
    return f'<{url}>; rel="{rel}"'
