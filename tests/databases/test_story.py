"""The whole story on each database: eight users at once, over sockets and REST, and the same order for all of them."""

import asyncio
import contextlib
from typing import Any

from tests.support.people import Frame, Person, Seat, sign_up
from tests.support.server import ChatServer

TALKERS, EACH = 8, 25
"""Two hundred messages; half of each user's go over REST."""


async def test_eight_users_agree_on_one_order_of_messages_and_changes(chat: ChatServer, room: int) -> None:
    people = await asyncio.gather(*(sign_up(chat, f"talker {number}") for number in range(TALKERS)))
    ann, bob = people[:2]
    async with contextlib.AsyncExitStack() as stack:
        seats = [await stack.enter_async_context(person.enters(room)) for person in people]
        start = seats[-1].ready["seq"]
        sent = start + TALKERS * EACH
        await asyncio.gather(*(talks(*pair, room) for pair in zip(people, seats, strict=True)))
        heard = [await hears_all(seat, start, sent) for seat in seats]
        history = await whole(ann, room)
        assert [message["id"] for message in history] == list(range(1, TALKERS * EACH + 1))
        assert heard == [history] * TALKERS, "a socket and the history differ"

        await retries_find_their_originals(bob, seats[1], room, history)
        last = await changes_messages(ann, seats[0], bob, room, history)
        live = [await hears_all(seat, sent, last) for seat in seats]
        assert live == [live[0]] * TALKERS
        assert [event["seq"] for event in live[0]] == list(range(sent + 1, last + 1))

    await catches_up(bob, room, since=sent, now=await whole(ann, room))
    await counts_unread(ann, bob, room)
    for person in people:
        await person.http.aclose()


async def talks(person: Person, seat: Seat, room: int) -> None:
    for number in range(EACH):
        content = f"{person.username} says {number} 👋"
        if number % 2:
            draft = {"content": content, "client_id": content}
            answer = await person.http.post(f"/api/messages/{room}", json=draft)
            while answer.status_code == 503:  # a busy machine: it was not stored, or can be recognised
                answer = await person.http.post(f"/api/messages/{room}", json=draft)
            assert answer.status_code in (200, 201), answer.text
        else:
            await seat.says(content, client_id=content)


async def hears_all(seat: Seat, after: int, until: int) -> list[Frame]:
    """The durable events of the room with numbers in this range, in the order of their arrival."""
    while max((frame["seq"] for frame in changes(seat.heard)), default=0) < until:
        await seat.next()
    return [frame for frame in changes(seat.heard) if after < frame["seq"] <= until]


def changes(heard: list[Frame]) -> list[Frame]:
    return [frame for frame in heard if "seq" in frame and frame["type"] not in {"ready", "ack", "synced"}]


async def whole(person: Person, room: int) -> list[Frame]:
    first = await person.history(room, before=101, limit=100)
    return first + await person.history(room, after=100, limit=200)


async def retries_find_their_originals(person: Person, seat: Seat, room: int, history: list[Frame]) -> None:
    """A retry is recognised over REST and over the socket, whichever carried the original."""
    own = [message for message in history if message["sender"] == person.username]
    for message in own[:4]:
        retry = {"content": "again", "client_id": message["client_id"]}
        answer = await person.http.post(f"/api/messages/{room}", json=retry)
        assert (answer.status_code, answer.json()) == (200, message | {"duplicate": True})
        await seat.says("again", client_id=message["client_id"], ref=message["id"])
        ack = await seat.hears("ack", ref=message["id"])
        assert (ack["id"], ack["duplicate"]) == (message["id"], True)


async def changes_messages(ann: Person, seat: Seat, bob: Person, room: int, history: list[Frame]) -> int:
    """Ann edits one message, deletes another and reacts to a third; Bob may not edit hers. Returns the last number."""
    edited, deleted, liked = [m["id"] for m in history if m["sender"] == ann.username][:3]
    await ann.http.patch(f"/api/messages/{room}/{edited}", json={"content": "on second thoughts"})
    await seat.does("message.delete", id=deleted, ref="d")
    await seat.hears("ack", ref="d")
    for emoji in ("👍", "🎉"):
        await seat.does("reaction.add", id=liked, emoji=emoji, ref=emoji)
    number: int = (await seat.hears("ack", ref="🎉"))["seq"]
    forbidden = await bob.http.patch(f"/api/messages/{room}/{edited}", json={"content": "mine now"})
    assert forbidden.status_code == 403
    return number


async def catches_up(person: Person, room: int, since: int, now: list[Frame]) -> None:
    """Over the socket and over REST, `since` returns the same missed events, and they lead to the current state."""
    async with person.enters(room, since=since) as seat:
        await seat.hears("synced", truncated=False)
        missed = [
            frame for frame in seat.heard if "seq" in frame and frame["type"] not in {"ready", "synced"}
        ]
    assert (await person.get(f"/api/messages/{room}/changes", since=since))["changes"] == missed
    by_kind: dict[str, list[Any]] = {}
    for event in missed:
        by_kind.setdefault(event["type"], []).append(event["id"])
    assert by_kind["message.deleted"] == [message["id"] for message in now if "deleted_at" in message]
    touched = [message["id"] for message in now if "edited_at" in message or "reactions" in message]
    assert sorted(by_kind["message.updated"]) == touched
    (liked,) = (message for message in now if "reactions" in message)
    assert [one["emoji"] for one in liked["reactions"]] == ["👍", "🎉"]


async def counts_unread(ann: Person, bob: Person, room: int) -> None:
    async def unread(person: Person) -> int:
        (found,) = (one for one in await person.get("/api/rooms") if one["id"] == room)
        count: int = found["unread_count"]
        return count

    for content in ("one", "two", "three"):
        await ann.http.post(f"/api/messages/{room}", json={"content": content})
    assert await unread(ann) == 0, "a user's own messages count as unread"
    before = await unread(bob)
    async with bob.enters(room) as seat:
        await seat.does("read", id=TALKERS * EACH + 1, ref=1)
        await seat.hears("ack", ref=1)
        assert await unread(bob) == 2 < before
        await seat.does("read", id=1, ref=2)
        assert (await seat.hears("ack", ref=2))["id"] == TALKERS * EACH + 1, "the receipt moved back"
