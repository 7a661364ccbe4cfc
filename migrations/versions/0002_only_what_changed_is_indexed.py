"""index only changed messages

Catching up finds new messages by id, so the index of changes needs no entry for an unchanged message. MySQL and MariaDB
have no partial indexes: there the index keeps all entries, under its new name.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OLD, NEW = "ix_messages_room_id_changed_seq", "ix_messages_changed"
CHANGED = sa.text("changed_seq <> seq")
COLUMNS = ["room_id", "changed_seq"]


def upgrade() -> None:
    op.create_index(NEW, "messages", COLUMNS, sqlite_where=CHANGED, postgresql_where=CHANGED)
    op.drop_index(OLD, "messages")


def downgrade() -> None:
    op.create_index(OLD, "messages", COLUMNS)
    op.drop_index(NEW, "messages")
