"""Node.js, where the machine has it."""

import os
import shutil

import pytest


def node() -> tuple[str, ...]:
    """The command that runs a script. Without Node it skips the test, and fails it in CI.

    The flag is for versions before 22, which have `WebSocket` only with it.
    """
    program = shutil.which("node")
    if program is None and os.environ.get("CI"):
        pytest.fail("CI has no node")
    if program is None:
        pytest.skip("there is no node on this machine (Debian: apt install nodejs)")
    return (program, "--experimental-websocket")
