"""What happens to a database whose history goes backward, and a process that notices."""

from sqlalchemy import delete, update

from app.core.clock import now_ms
from app.core.config import Settings
from app.core.database import Database, UnitOfWork
from app.models import Epoch, Message, Room
from app.schemas import close_codes
from app.services.access import Membership
from app.services.callers import Caller
from app.services.epochs import CurrentEpoch
from app.services.ledger import Ledger
from app.services.presence import PresenceTracker
from app.services.publishing import Publisher
from app.websocket.hub.hub import Hub
from app.websocket.hub.reconcile import Reconciler
from app.websocket.hub.registry import Registry
from tests.databases.people import member_of, say
from tests.support.fakes import RecordingListener, RecordingPeer, seq_of


async def move_to_another_server(database: Database) -> None:
    """What a database looks like once another server has taken over."""
    await database.write(lambda db: db.execute(update(Epoch).values(server="of another server")))


async def says(database: Database, ann: Caller, room_id: int, *texts: str) -> None:
    """Send messages as a member in the current epoch."""
    await say(Ledger(database), await member_of(database, ann, room_id), *texts)


async def begin_on_another_server(database: Database) -> None:
    """What a server sees behind an address that leads to two of them in turns."""

    def begin(db: UnitOfWork) -> None:
        number = db.query(Epoch).count() + 1
        db.add(Epoch(number=number, name=f"epoch {number}", server="other", began_at=now_ms(), is_void=False))

    await database.write(begin)


def put_back(db: UnitOfWork, room_id: int, last_message_id: int) -> None:
    """What a room looks like in a backup from before its last messages."""
    db.execute(delete(Message).where(Message.room_id == room_id, Message.id > last_message_id))
    counters = {"last_message_id": last_message_id, "last_seq": last_message_id + 1}
    db.execute(update(Room).where(Room.id == room_id).values(counters))


class Listening:
    """A hub with one listener in a room, as in a process that notices what happened."""

    def __init__(self, database: Database, member: Membership, head: int) -> None:
        self.epoch = CurrentEpoch(database)
        self.hub = Hub(database, PresenceTracker(), self.epoch)
        self.registry = Registry(Settings())
        self.peer = RecordingPeer(on_close=lambda _: self.hub.unsubscribe(self.subscription))
        self.registry.add(self.peer)
        publisher = Publisher([self.hub.deliver], [], [], [self.registry.start_anew], [])
        self.publish = publisher.publish
        self.epoch.on_change(self.publish)
        self.epoch.is_current(member.epoch)
        self.listener = RecordingListener(seq_of)
        self.subscription = self.hub.subscribe(self.listener, member.room_id)
        self.hub.go_live(self.subscription, member, head)
        self._reconciler = Reconciler(database, self.hub, self.registry, self.epoch, lambda _: None)

    async def reconciles(self) -> None:
        await self._reconciler.reconcile()
        await self.epoch.settled()

    @property
    def closes(self) -> int:
        return self.peer.closes.count(close_codes.PUT_BACK)
