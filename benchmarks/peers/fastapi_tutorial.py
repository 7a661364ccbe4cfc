"""The chat of FastAPI's documentation (Advanced > WebSockets): a `ConnectionManager` that sends to all sockets in turn.

Added to it: one such object per room. With `STORE=1` each message is first inserted through async SQLAlchemy on
aiosqlite, as SQLAlchemy's asyncio documentation shows. It does not number messages and does not authenticate.
"""

import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from sqlalchemy import String
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

STORE = os.environ.get("STORE") == "1"
if STORE:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    new_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The tables of this program."""


class Message(Base):
    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    room: Mapped[str] = mapped_column(String(64), index=True)
    content: Mapped[str]


class ConnectionManager:
    def __init__(self) -> None:
        self.active_connections: list[WebSocket] = []

    async def connect(self, websocket: WebSocket) -> None:
        await websocket.accept()
        self.active_connections.append(websocket)

    def disconnect(self, websocket: WebSocket) -> None:
        self.active_connections.remove(websocket)

    async def broadcast(self, message: str) -> None:
        for connection in self.active_connections:
            await connection.send_text(message)


rooms: defaultdict[str, ConnectionManager] = defaultdict(ConnectionManager)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    if STORE:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
    yield


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws/{room}")
async def websocket_endpoint(websocket: WebSocket, room: str) -> None:
    manager = rooms[room]
    await manager.connect(websocket)
    try:
        while True:
            data = await websocket.receive_text()
            if STORE:
                async with new_session() as session:
                    session.add(Message(room=room, content=data))
                    await session.commit()
            await manager.broadcast(data)
    except WebSocketDisconnect:
        manager.disconnect(websocket)


if __name__ == "__main__":
    uvicorn.run(app, host=os.environ["HOST"], port=int(os.environ["PORT"]), log_level="warning")
