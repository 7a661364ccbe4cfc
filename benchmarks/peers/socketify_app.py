"""socketify (uWebSockets in C++) with its publish/subscribe, as its documentation shows: all fan-out is done in C++."""

import os
from typing import Any

from socketify import App, AppListenOptions, OpCode


def ws_upgrade(res: Any, req: Any, socket_context: Any) -> None:
    key = req.get_header("sec-websocket-key")
    protocol = req.get_header("sec-websocket-protocol")
    extensions = req.get_header("sec-websocket-extensions")
    res.upgrade(key, protocol, extensions, socket_context, {"room": req.get_parameter(0)})


def ws_open(ws: Any) -> None:
    ws.subscribe(ws.get_user_data()["room"])


def ws_message(ws: Any, message: str | bytes, opcode: OpCode) -> None:
    ws.publish(ws.get_user_data()["room"], message, opcode)


app = App()
app.ws(
    "/ws/:room",
    {
        "compression": 0,
        "max_payload_length": 16 * 1024 * 1024,
        "max_backpressure": 64 * 1024 * 1024,
        "idle_timeout": 60,
        "upgrade": ws_upgrade,
        "open": ws_open,
        "message": ws_message,
    },
)

if __name__ == "__main__":
    app.listen(AppListenOptions(port=int(os.environ["PORT"]), host=os.environ["HOST"]))
    app.run()
