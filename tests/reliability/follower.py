"""A client's copies of its rooms: fed by events alone, and by REST where the server says there were too many."""

import random

from tests.reliability.history import Copy, Seen, Stream
from tests.reliability.replica import DURABLE, Event, Replica
from tests.reliability.rest import Lost, Rest
from tests.reliability.world import World


class Follower:
    def __init__(self, name: str, world: World, rest: Rest, rng: random.Random) -> None:
        self.replicas = {room: Replica() for room in world.rooms}
        self.streams: dict[int, Stream] = {}
        """The open subscription of each room that is being listened to."""
        self._name = name
        self._world = world
        self._rest = rest
        self._rng = rng
        self._kept: dict[int, list[Event]] = {}
        """Events that came while a room is being loaded anew."""

    def opens(self, room: int) -> int:
        """A subscription is about to begin; returns its `since`."""
        since = self.replicas[room].position
        stream = Stream(self._name, room, since, known=self._world.heads[room])
        self.streams[room] = stream
        self._world.history.streams.append(stream)
        return since

    def closes(self, room: int) -> None:
        self.streams.pop(room, None)
        self._kept.pop(room, None)

    def lost(self) -> None:
        """The connection is gone, and every subscription with it."""
        self.streams.clear()
        self._kept.clear()

    def takes(self, event: Event, text: str | bytes) -> None:
        """A frame came in that is about a room."""
        if event["type"] not in DURABLE:
            return
        if (stream := self.streams.get(event["room_id"])) is None:
            self._world.complain(
                f"{self._name} hears room {event['room_id']} without a subscription: {event}"
            )
        else:
            self._note(stream, event, text)
            if event["room_id"] in self._kept:
                self._kept[event["room_id"]].append(event)
            else:
                self.replicas[event["room_id"]].apply(event)

    def syncs(self, event: Event) -> bool:
        """Everything that was missed has come; returns whether it was too much and has to be loaded."""
        room = event["room_id"]
        stream = self.streams[room]
        stream.synced, stream.truncated = event["seq"], event["truncated"]
        if stream.missed and stream.since:
            self._world.count("replayed")
        if not stream.truncated:
            self.replicas[room].position = event["seq"]
            return False
        self._world.count("truncated")
        if stream.since > event["seq"]:
            self._world.complain(f"room {room} stands at {event['seq']}, and {stream.since} was known")
        self._kept[room] = []
        return True

    async def load(self, room: int) -> bool:
        """Catch up over REST with more than a socket sends; events that come meanwhile wait. False if that failed."""
        stream, replica = self.streams[room], self.replicas[room].copy()
        try:
            if self._rng.random() < 0.5:
                replica.load(await self._rest.history(room), stream.synced or 0)
            else:
                async for events, position in self._rest.changes(room, replica.position, limit=100):
                    for event in events:
                        replica.apply(event)
                    replica.position = position
        except Lost:
            return False
        if (
            self.streams.get(room) is stream
        ):  # else the connection was lost meanwhile, and this comes too late
            for event in self._kept.pop(room):
                replica.apply(event)
            self.replicas[room] = replica
        return True

    def copies(self) -> list[Copy]:
        return [Copy(self._name, room, replica) for room, replica in self.replicas.items()]

    def _note(self, stream: Stream, event: Event, text: str | bytes) -> None:
        seen = Seen(event["seq"], event["type"], event.get("id"), hash(text))
        if stream.synced is None:
            stream.missed.append(seen)
        else:
            stream.live.append(seen)
            self._world.told(stream.room, event)
