"""The REST API as a client uses it, and the true state of a room at the end of a run."""

from collections.abc import AsyncIterator
from typing import Any

import httpx

from tests.reliability.history import Operation, Truth
from tests.reliability.replica import Event, Replica, version
from tests.reliability.run_state import Account, RunState

TIMEOUT = 10.0
PAGE = 200


class ConnectionLost(Exception):
    """The server gave no answer."""


class Rest:
    """REST requests of one user. Every method raises ConnectionLost if the server does not answer."""

    def __init__(self, state: RunState, account: Account) -> None:
        self._state = state
        self._account = account
        self._http = httpx.AsyncClient(
            base_url=state.server.url,
            headers={"Authorization": f"Bearer {account.token}"},
            timeout=TIMEOUT,
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, **rest)
        except httpx.TransportError as error:
            raise ConnectionLost from error
        if answer.status_code == 503 and self._state.database_fails:
            self._state.count("503")
        elif answer.status_code >= 500:
            self._state.complain(f"{method} {path} answered {answer.status_code}: {answer.text[:200]}")
        return answer

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.ask("GET", path, params=params)
        if answer.status_code == 503 and self._state.database_fails:
            raise ConnectionLost
        if answer.status_code != 200:
            self._state.complain(f"GET {path} answered {answer.status_code}: {answer.text[:200]}")
            raise ConnectionLost
        return answer.json()

    async def do(self, operation: Operation) -> None:
        """Carry out an operation. If ConnectionLost is raised, its outcome stays unknown."""
        path = f"/api/messages/{operation.room}"
        match operation.kind:
            case "message":
                draft = {"content": operation.text, "client_id": operation.client_id}
                answer = await self.ask("POST", path, json=draft)
            case "edit":
                answer = await self.ask(
                    "PATCH", f"{path}/{operation.target}", json={"content": operation.text}
                )
            case "delete":
                answer = await self.ask("DELETE", f"{path}/{operation.target}")
            case other:
                raise ValueError(f"there is no {other} over REST")
        if answer.status_code >= 400:
            operation.refused(answer.json()["code"])
        elif operation.kind == "message":
            message = answer.json()
            operation.done(message["id"], message["seq"], message.get("duplicate", False))
        else:
            seq = version(answer.json()) if operation.kind == "edit" else 0
            operation.done(operation.target or 0, seq)

    async def history(self, room: int) -> list[Event]:
        """All messages of a room, page by page."""
        found: list[Event] = []
        while True:
            after = found[-1]["id"] if found else 0
            page = await self.get(f"/api/messages/{room}", after=after, limit=PAGE)
            found += page
            if len(page) < PAGE:
                return found

    async def changes(self, room: int, since: int, limit: int) -> AsyncIterator[tuple[list[Event], int]]:
        """The changes after `since`, page by page: the events, and the position after them."""
        while True:
            page = await self.get(f"/api/messages/{room}/changes", since=since, limit=limit)
            if page["seq"] < since:
                self._state.complain(f"room {room} is at {page['seq']}, but {since} was known")
            yield page["changes"], page["seq"]
            if not page["truncated"] or page["seq"] <= since:
                return
            since = page["seq"]

    async def room(self, room: int) -> Event:
        found: Event = await self.get(f"/api/rooms/{room}")
        return found


async def truth(room: int, readers: dict[str, Rest]) -> Truth:
    """The state of a room for these users, once no client changes it any more."""
    views = {user: await rest.room(room) for user, rest in readers.items()}
    rest = next(iter(readers.values()))
    view = next(iter(views.values()))
    members = Replica()
    async for events, _ in rest.changes(room, 0, limit=1000):
        for event in events:
            members.apply(event)
    replica = Replica()
    replica.load(await rest.history(room), view["last_seq"])
    replica.members = members.members
    receipts = {user: of_user["last_read_id"] or 0 for user, of_user in views.items()}
    unread = {user: of_user["unread_count"] for user, of_user in views.items()}
    return Truth(view, replica, receipts, unread)
