"""Checks that a refused REST request is answered with a problem (RFC 9457) that reveals no internals."""

import re

import httpx

INTERNALS = re.compile(r"Traceback|site-packages|sqlalchemy|sqlite3|pydantic|File \"|\.py\b", re.IGNORECASE)
MAX_LENGTH = 4_000
"""In characters. A problem never repeats the request."""


def check_problem(answer: httpx.Response, *statuses: int) -> str:
    """Return the code of the problem. Raises AssertionError if it is not a problem with one of these statuses."""
    assert answer.status_code in statuses, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() >= {"type", "title", "status", "detail", "code"}
    assert problem["status"] == answer.status_code
    for key in ("type", "title", "detail", "code"):
        assert isinstance(problem[key], str)
        assert problem[key]
    assert re.fullmatch(r"[a-z][a-z_]*", problem["code"])
    assert len(answer.text) < MAX_LENGTH
    assert not INTERNALS.search(answer.text), answer.text
    code: str = problem["code"]
    return code
