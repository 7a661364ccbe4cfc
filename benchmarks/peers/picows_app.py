"""picows (WebSocket in Cython) on uvloop, as in its broadcast example: one write per message and listener."""

import asyncio
import os
from collections import defaultdict

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

rooms: defaultdict[bytes, set["Client"]] = defaultdict(set)


class Client(WSListener):
    def __init__(self, room: bytes) -> None:
        self.room = rooms[room]
        self.transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.room.add(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.room.discard(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif frame.msg_type == WSMsgType.TEXT:
            message = frame.get_payload_as_bytes()
            for client in self.room:
                client.transport.send(WSMsgType.TEXT, message)


def join(request: WSUpgradeRequest) -> WSListener:
    return Client(request.path)


async def main() -> None:
    server = await ws_create_server(join, os.environ["HOST"], int(os.environ["PORT"]), backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
