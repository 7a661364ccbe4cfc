"""administrators

MySQL and MariaDB commit the column before the revision, so an interrupted migration finds its column already there.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("users")}
    if "is_administrator" not in columns:
        op.add_column(
            "users", sa.Column("is_administrator", sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def downgrade() -> None:
    op.drop_column("users", "is_administrator")
