"""What `docs/deploy.md` says of commands and probes is so."""

import re
import shlex

import httpx

from app.core.config import Settings
from app.main import create_app
from app.services import health
from tests.docs.documents import DOCS, block
from tests.operator.conftest import Operator
from tests.support.server import ChatServer

DEPLOY = DOCS / "deploy.md"
RUN = ".venv/bin/python run.py "


def commands() -> list[list[str]]:
    """The arguments of every command of the document, in its order."""
    lines = DEPLOY.read_text().splitlines()
    return [shlex.split(line.removeprefix(RUN), comments=True) for line in lines if line.startswith(RUN)]


def test_the_commands_of_the_document_run(operator: Operator) -> None:
    operator.creates()
    found = [arguments for arguments in commands() if arguments]
    assert {arguments[0] for arguments in found} == {"doctor", "backup", "restore", "users", "epoch"}
    for written in found:
        arguments = ["user1" if part == "alice" else part for part in written]
        entered = ["--stdin"] if "password" in arguments else []
        done = operator.runs(*arguments, *entered, stdin="a new and long one")
        expected = 1 if arguments[0] == "doctor" else 0  # a new folder is not fit for production
        assert done.status == expected, (arguments, done)


def test_every_option_that_is_named_exists(operator: Operator) -> None:
    section = DEPLOY.read_text().partition("## The operator's commands")[2].partition("\n## ")[0]
    named = set(re.findall(r"--[a-z-]+", section)) - {"--help"}
    helps = (
        ("backup",),
        ("restore",),
        ("epoch",),
        ("doctor",),
        ("users", "password"),
        ("users", "close-sessions"),
    )
    shown = " ".join(operator.runs(*command, "--help").out for command in helps)
    assert named == set(re.findall(r"--[a-z-]+", shown)) - {"--help"}


def test_the_probes_of_the_document_are_routes() -> None:
    paths = create_app(Settings(secret_key="k" * 32)).openapi()["paths"].keys()
    text = DEPLOY.read_text()
    assert set(re.findall(r"/health(?:/\w+)?\b", text)) == {path for path in paths if "health" in path}
    assert f"less than {health.MIN_FREE_BYTES >> 20} MiB of disk" in text
    assert "more than five seconds" in text
    assert health.MAX_WAIT_SECONDS == 5
    assert "every three seconds" in text
    assert health.PROBE_SECONDS == 3


def test_the_health_check_for_compose_succeeds_and_fails(server: ChatServer) -> None:
    [code] = re.findall(r'-c, "(.*)"\]', block(DEPLOY, "yaml", "healthcheck:"))
    assert httpx.get(f"{server.url}/health/ready").status_code == 200
    exec(code.replace(":8000", f":{server.port}"), {})
