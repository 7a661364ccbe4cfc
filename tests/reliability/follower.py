"""A client's copies of its rooms: fed by events alone, and by REST if a catch-up over the socket is truncated."""

import random

from tests.reliability.history import Copy, Seen, Stream
from tests.reliability.replica import DURABLE, Event, Replica
from tests.reliability.rest import ConnectionLost, Rest
from tests.reliability.run_state import RunState


class Follower:
    def __init__(self, name: str, state: RunState, rest: Rest, rng: random.Random) -> None:
        self.replicas = {room: Replica() for room in state.rooms}
        self.epochs: dict[int, str] = {}
        """The epoch in which the position of each room counts."""
        self.streams: dict[int, Stream] = {}
        """The open subscription of each room that the client listens to."""
        self._name = name
        self._state = state
        self._rest = rest
        self._rng = rng
        self._deferred: dict[int, list[Event]] = {}
        """Events that arrived while their room was being loaded over REST."""

    def open(self, room: int) -> int:
        """Begin a subscription. Returns the `since` to ask for."""
        since = self.replicas[room].position
        stream = Stream(self._name, room, since, known=self._state.heads[room])
        self.streams[room] = stream
        self._state.history.streams.append(stream)
        return since

    def close(self, room: int) -> None:
        self.streams.pop(room, None)
        self._deferred.pop(room, None)

    def connection_lost(self) -> None:
        """End every subscription."""
        self.streams.clear()
        self._deferred.clear()

    def receive(self, event: Event, text: str | bytes) -> None:
        """Apply an event of a room, if it is durable."""
        if event["type"] not in DURABLE:
            return
        if (stream := self.streams.get(event["room_id"])) is None:
            self._state.complain(
                f"{self._name} heard room {event['room_id']} without a subscription: {event}"
            )
        else:
            self._record(stream, event, text)
            if event["room_id"] in self._deferred:
                self._deferred[event["room_id"]].append(event)
            else:
                self.replicas[event["room_id"]].apply(event)

    def sync(self, event: Event) -> bool:
        """Handle `synced`, which ends a catch-up. Returns whether it was truncated, so that the room must be loaded."""
        room = event["room_id"]
        stream = self.streams[room]
        stream.synced, stream.truncated = event["seq"], event["truncated"]
        if stream.missed and stream.since:
            self._state.count("replayed")
        self.epochs[room] = event["epoch"]
        if not stream.truncated:
            self.replicas[room].position = event["seq"]
            return False
        self._state.count("truncated")
        if stream.since > event["seq"]:
            self._state.complain(f"room {room} is at {event['seq']}, but {stream.since} was known")
        self._deferred[room] = []
        return True

    async def load(self, room: int) -> bool:
        """Catch up over REST with more events than a socket sends; new events wait meanwhile. False on failure."""
        stream, replica = self.streams[room], self.replicas[room].copy()
        try:
            if self._rng.random() < 0.5:
                replica.load(await self._rest.history(room), stream.synced or 0)
            else:
                async for events, position in self._rest.changes(room, replica.position, limit=100):
                    for event in events:
                        replica.apply(event)
                    replica.position = position
        except ConnectionLost:
            return False
        if (
            self.streams.get(room) is stream
        ):  # else the connection was lost meanwhile, and the result is stale
            for event in self._deferred.pop(room):
                replica.apply(event)
            self.replicas[room] = replica
        return True

    def copies(self) -> list[Copy]:
        return [Copy(self._name, room, replica) for room, replica in self.replicas.items()]

    def _record(self, stream: Stream, event: Event, text: str | bytes) -> None:
        seen = Seen(event["seq"], event["type"], event.get("id"), hash(text))
        if stream.synced is None:
            stream.missed.append(seen)
        else:
            stream.live.append(seen)
            self._state.heard(stream.room, event)
