"""The base of all tables, and the types of their columns."""

from typing import Annotated, Any

from sqlalchemy import BigInteger, Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Gives every constraint the same name on every database, so that a migration can drop it."""

MYSQL = {
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}
"""The server's defaults may reject emoji and compare alice, Alice and alicé as equal."""

SerialId = Annotated[int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)]
"""An id that the database generates. It identifies a row and never orders rows."""
Number = Annotated[int, mapped_column(BigInteger)]
Millis = Annotated[int, mapped_column(BigInteger)]
"""Milliseconds since 1970, UTC."""
Name = Annotated[str, mapped_column(String(64))]
Token = Annotated[str, mapped_column(String(64))]
"""An ASCII identifier."""


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    __table_args__: Any = MYSQL
