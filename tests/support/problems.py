"""What every refusal over REST has to look like (RFC 9457), and what it must not give away."""

import re

import httpx

INTERNALS = re.compile(r"Traceback|site-packages|sqlalchemy|sqlite3|pydantic|File \"|\.py\b", re.IGNORECASE)
LONGEST = 4_000
"""Characters of a refusal: it never repeats what was sent."""


def check_problem(answer: httpx.Response, *statuses: int) -> str:
    """The problem's code. Raises AssertionError if this is none, or has another status than these."""
    assert answer.status_code in statuses, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() >= {"type", "title", "status", "detail", "code"}
    assert problem["status"] == answer.status_code
    for key in ("type", "title", "detail", "code"):
        assert isinstance(problem[key], str)
        assert problem[key]
    assert re.fullmatch(r"[a-z][a-z_]*", problem["code"])
    assert len(answer.text) < LONGEST
    assert not INTERNALS.search(answer.text), answer.text
    code: str = problem["code"]
    return code
