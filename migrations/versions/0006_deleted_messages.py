"""deleted messages

They do not count as unread, and the last message of a room is the last one that is not deleted.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MYSQL = {
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}
FILL = (
    "INSERT INTO deleted_messages (room_id, id) SELECT room_id, id FROM messages WHERE deleted_at IS NOT NULL"
)
LAST_LIVE = """
UPDATE rooms SET last_live_id = coalesce((
    SELECT messages.id FROM messages
    WHERE messages.room_id = rooms.id AND messages.deleted_at IS NULL
    ORDER BY messages.id DESC LIMIT 1
), 0)
"""


def upgrade() -> None:
    op.create_table(
        "deleted_messages",
        sa.Column("room_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id", "id"],
            ["messages.room_id", "messages.id"],
            name=op.f("fk_deleted_messages_room_id_id"),
        ),
        sa.PrimaryKeyConstraint("room_id", "id", name=op.f("pk_deleted_messages")),
        sqlite_with_rowid=False,
        **MYSQL,
    )
    op.add_column("rooms", sa.Column("last_live_id", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(FILL)
    op.execute(LAST_LIVE)


def downgrade() -> None:
    op.drop_column("rooms", "last_live_id")
    op.drop_table("deleted_messages")
