"""python-socketio with its ASGI server, as its documentation shows: enter a room, emit to the room."""

import os
from typing import Any

import socketio
import uvicorn

sio = socketio.AsyncServer(async_mode="asgi")
app = socketio.ASGIApp(sio)


@sio.event
async def join(sid: str, room: str) -> str:
    await sio.enter_room(sid, room)
    return "ok"


@sio.event
async def message(sid: str, room: str, data: dict[str, Any]) -> None:
    await sio.emit("message", data, room=room)


if __name__ == "__main__":
    uvicorn.run(app, host=os.environ["HOST"], port=int(os.environ["PORT"]), log_level="warning")
