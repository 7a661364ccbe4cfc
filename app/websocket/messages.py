"""Commands about messages."""

from functools import partial

from app.core.errors import AppError
from app.schemas.connections import Ack
from app.schemas.messages import DeleteMessage, EditMessage, SendMessage, version
from app.services import messages
from app.services.access import Membership
from app.services.ledger import Draft, Outcome
from app.websocket.connection.connection import Later
from app.websocket.request import RoomRequest


def send(request: RoomRequest[SendMessage]) -> Later | None:
    """Hand the message to the ledger, at once if the sender listens to the room."""
    member = request.cached_member()
    if member is None:
        return _join_and_send(request)
    _submit(request, member)
    return None


async def edit(request: RoomRequest[EditMessage]) -> None:
    member, command = await request.member(), request.command
    request.deps.quotas.spend(member.user_id, command.content)
    edited = await request.deps.database.write_in_turn(
        member.room_id, messages.edit, member, command.id, command.content
    )
    request.acknowledge(room_id=member.room_id, id=command.id, seq=version(edited))


async def delete(request: RoomRequest[DeleteMessage]) -> None:
    member, message_id = await request.member(), request.command.id
    seq = await request.deps.database.write_in_turn(member.room_id, messages.delete, member, message_id)
    request.acknowledge(room_id=member.room_id, id=message_id, seq=seq)


async def _join_and_send(request: RoomRequest[SendMessage]) -> None:
    caller, command = request.connection.caller, request.command
    try:
        member = await request.deps.ledger.admit(caller, request.room_id(), command.reply_to)
    except AppError as error:
        request.refuse(error, command.client_id)
    else:
        _submit(request, member)


def _submit(request: RoomRequest[SendMessage], member: Membership) -> None:
    command = request.command
    request.connection.inbox.departed()
    request.deps.ledger.submit(
        Draft(
            member.room_id,
            member.user_id,
            member.username,
            command.content,
            command.client_id,
            command.reply_to,
            member.epoch,
        ),
        partial(_answer, request),
    )


def _answer(request: RoomRequest[SendMessage], outcome: Outcome) -> None:
    """Report the outcome to the sender, if there is a label to report it by."""
    connection, command = request.connection, request.command
    connection.inbox.arrived()
    if isinstance(outcome, Exception):
        request.refuse(outcome, command.client_id)
    elif command.ref is not None or command.client_id is not None:
        message = outcome.message
        connection.send_event(
            Ack(
                ref=command.ref,
                client_id=command.client_id,
                room_id=message["room_id"],
                id=message["id"],
                seq=message["seq"],
                created_at=message["created_at"],
                duplicate=outcome.duplicate,
            )
        )
