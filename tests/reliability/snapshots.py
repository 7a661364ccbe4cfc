"""A room as REST shows it, as a replica: the state that events must lead to."""

from tests.reliability.replica import Event, Replica
from tests.support.people import Person


async def snapshot(person: Person, room: int) -> Replica:
    """The room as it is now. Its members come from the changes since number 0: the history does not list them."""
    view = await person.get(f"/api/rooms/{room}")
    found = Replica()
    for event in (await changes(person, room, 0, 1000))["changes"]:
        found.apply(event)
    members = found.members
    found.load(await history(person, room), view["last_seq"])
    found.members = members
    return found


async def history(person: Person, room: int) -> list[Event]:
    """All messages, page by page."""
    found: list[Event] = []
    while page := await person.history(room, after=len(found), limit=200):
        found += page
    return found


async def changes(person: Person, room: int, since: int, limit: int = 1000) -> Event:
    page: Event = await person.get(f"/api/messages/{room}/changes", since=since, limit=limit)
    return page
