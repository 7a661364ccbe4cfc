"""The servers that are compared, how each is started, and what each does not do."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
VENV = HERE.parent / ".venv" / "bin" / "python"

NOTHING_STORED = ("stores", "numbers", "authenticates", "catches up")
NO_PROTOCOL = ("numbers", "authenticates", "catches up")


@dataclass(frozen=True)
class Peer:
    """A server under test. `module` is a Python module or a JavaScript file in this folder."""

    name: str
    label: str
    module: str
    dialect: str = "plain"
    lacks: tuple[str, ...] = NOTHING_STORED
    max_window: int = 100_000
    """Messages that may be in flight before this server is documented to drop them."""
    env: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        if self.name == "ours":
            return [sys.executable, "run.py"]
        if self.module.endswith(".js"):
            return ["node", str(HERE / self.module)]
        python = str(VENV) if VENV.exists() else sys.executable
        return [python, "-m", f"benchmarks.peers.{self.module}"]


CHAT = (
    Peer("ours", "this project", "run.py", "ours", lacks=()),
    Peer("fastapi", "FastAPI tutorial", "fastapi_tutorial"),
    Peer(
        "fastapi_store",
        "FastAPI tutorial + insert",
        "fastapi_tutorial",
        lacks=NO_PROTOCOL,
        env={"STORE": "1"},
    ),
    Peer("socketio_python", "python-socketio", "socketio_python", "socketio"),
    Peer("channels", "Django Channels on Daphne", "channels_daphne", max_window=80),
    Peer("socketify", "socketify (uWebSockets, C++)", "socketify_app"),
    Peer("ws_node", "ws on Node", "ws_node.js"),
    Peer("socketio_node", "Socket.IO on Node", "socketio_node.js", "socketio"),
    Peer("picows", "picows (Cython)", "picows_app"),
)

REST = (
    CHAT[0],
    Peer("rest_orm", "FastAPI, async ORM", "rest_orm", "rest", lacks=("numbers", "catches up")),
    Peer("rest_noop", "FastAPI, token check only", "rest_noop", "rest", lacks=("reads anything",)),
)

BY_NAME = {peer.name: peer for peer in CHAT + REST}
