"""chains of refresh tokens, origins of logins, and keys of usernames that look alike

Names that exist stay valid: where two look alike, both keep theirs, and only the older one has the key.
"""

import sqlalchemy as sa
from alembic import op

from app.services import username_keys

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("origin", sa.String(64), server_default="", nullable=False))
    op.add_column("refresh_tokens", sa.Column("number", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "username_keys",
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_username_keys_user_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_username_keys")),
        mariadb_charset="utf8mb4",
        mariadb_collate="utf8mb4_bin",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    username_keys.fill(op.get_bind())


def downgrade() -> None:
    op.drop_table("username_keys")
    op.drop_column("refresh_tokens", "number")
    op.drop_column("sessions", "origin")
