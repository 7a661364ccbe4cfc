"""REST as a client uses it, and the truth at the end."""

from collections.abc import AsyncIterator
from typing import Any

import httpx

from tests.reliability.history import Operation, Truth
from tests.reliability.replica import Event, Replica
from tests.reliability.world import Account, World

TIMEOUT = 10.0
PAGE = 200


class Lost(Exception):
    """No answer came."""


class Rest:
    """What one user asks over HTTP. Everything raises Lost when the server is gone."""

    def __init__(self, world: World, account: Account) -> None:
        self._world = world
        self._account = account
        self._http = httpx.AsyncClient(
            base_url=world.server.url,
            headers={"Authorization": f"Bearer {account.token}"},
            timeout=TIMEOUT,
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, **rest)
        except httpx.TransportError as error:
            raise Lost from error
        if answer.status_code >= 500:
            self._world.complain(f"{method} {path} answered {answer.status_code}: {answer.text[:200]}")
        return answer

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.ask("GET", path, params=params)
        if answer.status_code != 200:
            self._world.complain(f"GET {path} answered {answer.status_code}: {answer.text[:200]}")
            raise Lost
        return answer.json()

    async def do(self, operation: Operation) -> None:
        """Carry out an operation. If Lost is raised, its outcome stays unknown."""
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
            seq = answer.json()["changed_seq"] if operation.kind == "edit" else 0
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
        """What changed after `since`, page by page: the events, and where one stands with them."""
        while True:
            page = await self.get(f"/api/messages/{room}/changes", since=since, limit=limit)
            if page["seq"] < since:
                self._world.complain(f"room {room} stands at {page['seq']}, and {since} was known")
            yield page["changes"], page["seq"]
            if not page["truncated"] or page["seq"] <= since:
                return
            since = page["seq"]

    async def room(self, room: int) -> Event:
        found: Event = await self.get(f"/api/rooms/{room}")
        return found


async def truth(room: int, readers: dict[str, Rest]) -> Truth:
    """How a room stands for these users, once nobody changes it any more."""
    views = {user: await rest.room(room) for user, rest in readers.items()}
    rest = next(iter(readers.values()))
    seen = next(iter(views.values()))
    members = Replica()
    async for events, _ in rest.changes(room, 0, limit=1000):
        for event in events:
            members.apply(event)
    replica = Replica()
    replica.load(await rest.history(room), seen["last_seq"])
    replica.members = members.members
    marks = {user: view["last_read_id"] or 0 for user, view in views.items()}
    return Truth(seen, replica, marks, {user: view["unread_count"] for user, view in views.items()})
