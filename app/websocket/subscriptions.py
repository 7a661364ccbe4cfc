"""The commands `subscribe` and `unsubscribe`."""

from app.schemas.subscriptions import Subscribe, Unsubscribe
from app.websocket.catch_up.subscribe import Since
from app.websocket.request import RoomRequest


async def subscribe(request: RoomRequest[Subscribe]) -> None:
    subscriber, connection, command = request.deps.subscriber, request.connection, request.command
    since = None if command.since is None else Since(command.since, command.epoch)
    prepared = await subscriber.prepare(connection, request.room_id(), since)
    await subscriber.go_live(connection, prepared, synced=True, ref=command.ref)


def unsubscribe(request: RoomRequest[Unsubscribe]) -> None:
    connection, subscription = request.connection, request.subscription()
    room_id = subscription.channel.room_id
    connection.deps.hub.unsubscribe(subscription)
    del connection.subscriptions[room_id]
    request.acknowledge(room_id=room_id)
