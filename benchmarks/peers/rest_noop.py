"""A FastAPI endpoint that only checks the token: the upper bound for every real endpoint."""

import os
from typing import Annotated

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

SECRET_KEY = os.environ["SECRET_KEY"]
bearer = OAuth2PasswordBearer(tokenUrl="token")
app = FastAPI()


async def get_current_user(token: Annotated[str, Depends(bearer)]) -> str:
    try:
        return str(jwt.decode(token, SECRET_KEY, algorithms=["HS256"])["sub"])
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None


@app.get("/api/messages/{room_id}/recent")
async def recent(room_id: int, user: Annotated[str, Depends(get_current_user)], limit: int = 50) -> list[str]:
    return []


if __name__ == "__main__":
    uvicorn.run(
        app, host=os.environ["HOST"], port=int(os.environ["PORT"]), log_level="warning", access_log=False
    )
