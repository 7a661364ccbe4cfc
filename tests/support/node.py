"""Node.js, if it is installed."""

import os
import shutil

import pytest


def node() -> tuple[str, ...]:
    """The command that runs a script. Without Node.js the test is skipped, and fails in CI.

    The flag is for versions before 22, which have `WebSocket` only with it.
    """
    program = shutil.which("node")
    if program is None and os.environ.get("CI"):
        pytest.fail("Node.js is not installed in CI")
    if program is None:
        pytest.skip("Node.js is not installed (Debian: apt install nodejs)")
    return (program, "--experimental-websocket")
