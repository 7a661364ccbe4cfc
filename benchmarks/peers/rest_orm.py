"""`recent?limit=50` as in FastAPI and SQLAlchemy tutorials: async ORM, `response_model`, one query for the user."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, String, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship

SECRET_KEY = os.environ["SECRET_KEY"]
engine = create_async_engine(os.environ["DATABASE_URL"])
new_session = async_sessionmaker(engine, expire_on_commit=False)
bearer = OAuth2PasswordBearer(tokenUrl="token")


class Base(DeclarativeBase):
    """The tables of this program."""


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)


class Message(Base):
    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(index=True)
    sender_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    content: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    user: Mapped[User] = relationship()

    @property
    def sender(self) -> str:
        return self.user.username


class MessageOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    room_id: int
    sender: str
    sender_id: int
    content: str
    created_at: datetime


async def get_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def get_current_user(token: Annotated[str, Depends(bearer)], session: SessionDep) -> User:
    try:
        name = jwt.decode(token, SECRET_KEY, algorithms=["HS256"])["sub"]
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    user = await session.scalar(select(User).where(User.username == name))
    if user is None:
        raise HTTPException(401)
    return user


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Fill one room with as many messages as the room of the other server holds."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with new_session() as session:
        user = User(username="alice")
        session.add(user)
        await session.flush()
        text = os.environ.get("MESSAGE", "hello")
        count = int(os.environ.get("MESSAGES", "1000"))
        session.add_all([Message(room_id=1, sender_id=user.id, content=text) for _ in range(count)])
        await session.commit()
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/api/messages/{room_id}/recent", response_model=list[MessageOut])
async def recent(
    room_id: int, session: SessionDep, user: Annotated[User, Depends(get_current_user)], limit: int = 50
) -> list[Message]:
    newest = select(Message).where(Message.room_id == room_id).order_by(Message.id.desc()).limit(limit)
    rows = await session.scalars(newest.options(joinedload(Message.user)))
    return list(rows)[::-1]


if __name__ == "__main__":
    uvicorn.run(
        app, host=os.environ["HOST"], port=int(os.environ["PORT"]), log_level="warning", access_log=False
    )
