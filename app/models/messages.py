from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import MYSQL, Base, Millis, Number, Token


class Message(Base):
    """Message number `id` of its room. Ids have no gaps: a deleted message keeps its id and loses its text.

    `seq` is the room's change that created the message, `changed_seq` the last change to it.
    """

    __tablename__ = "messages"
    __table_args__ = (
        # Never expires: a retry after a year still finds its original. Most messages have no client_id and no entry.
        Index(
            "ux_messages_client_id",
            "room_id",
            "sender_id",
            "client_id",
            unique=True,
            sqlite_where=text("client_id IS NOT NULL"),
            postgresql_where=text("client_id IS NOT NULL"),
        ),
        # Unchanged messages are found by id; an entry for each would be half of what a commit writes.
        Index(
            "ix_messages_changed",
            "room_id",
            "changed_seq",
            sqlite_where=text("changed_seq <> seq"),
            postgresql_where=text("changed_seq <> seq"),
        ),
        # Without a rowid, a page of history is one run of adjacent rows.
        MYSQL | {"sqlite_with_rowid": False},
    )

    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"), primary_key=True)
    id: Mapped[Number] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[Number]
    changed_seq: Mapped[Number]
    sender_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Millis]
    edited_at: Mapped[Millis | None]
    deleted_at: Mapped[Millis | None]
    client_id: Mapped[Token | None]
    reply_to: Mapped[Number | None]


class DeletedMessage(Base):
    """The id of a deleted message, for counting the unread messages that are left. No index could hold these alone:
    MariaDB has no partial ones, and an entry for each message would be written with it."""

    __tablename__ = "deleted_messages"
    __table_args__ = (
        ForeignKeyConstraint(["room_id", "id"], ["messages.room_id", "messages.id"]),
        MYSQL | {"sqlite_with_rowid": False},
    )

    room_id: Mapped[Number] = mapped_column(primary_key=True)
    id: Mapped[Number] = mapped_column(primary_key=True)
