from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import MYSQL, Base, Millis, Number, Token


class Message(Base):
    """The message number `id` of its room. Ids have no gaps: a deleted message keeps its number and loses its text.

    `seq` is the change of the room that made it, `changed_seq` the last change that touched it.
    """

    __tablename__ = "messages"
    __table_args__ = (
        # For ever: a retry after a year still finds its original. Most messages have none and cost no entry.
        Index(
            "ux_messages_client_id",
            "room_id",
            "sender_id",
            "client_id",
            unique=True,
            sqlite_where=text("client_id IS NOT NULL"),
            postgresql_where=text("client_id IS NOT NULL"),
        ),
        # What is as it was made is found by its id; an entry for each would be half of what a commit writes.
        Index(
            "ix_messages_changed",
            "room_id",
            "changed_seq",
            sqlite_where=text("changed_seq <> seq"),
            postgresql_where=text("changed_seq <> seq"),
        ),
        # A page of history is then one run of neighbouring rows.
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
