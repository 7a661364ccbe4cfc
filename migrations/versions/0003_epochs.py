"""epochs of the database's history

The history that exists becomes the first epoch. Rooms join it with their next change.
"""

import secrets
import time

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MYSQL = {
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}


def upgrade() -> None:
    epochs = op.create_table(
        "epochs",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("server", sa.String(255), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_epochs")),
        sa.UniqueConstraint("name", name=op.f("uq_epochs_name")),
        **MYSQL,
    )
    op.create_table(
        "room_epochs",
        sa.Column("room_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_room_epochs_room_id")),
        sa.ForeignKeyConstraint(["epoch"], ["epochs.number"], name=op.f("fk_room_epochs_epoch")),
        sa.PrimaryKeyConstraint("room_id", "epoch", name=op.f("pk_room_epochs")),
        **MYSQL,
    )
    op.add_column("rooms", sa.Column("epoch", sa.String(64), nullable=False, server_default=""))
    first = {"number": 1, "name": secrets.token_urlsafe(9), "server": "", "began_at": time.time_ns() // 10**6}
    op.bulk_insert(epochs, [first | {"is_void": False}])


def downgrade() -> None:
    op.drop_column("rooms", "epoch")
    op.drop_table("room_epochs")
    op.drop_table("epochs")
