"""Usernames that look alike: refused for new accounts, and kept for those that are older than the rule."""

import asyncio
from functools import partial

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import column, insert, select, table

from app.core.config import Settings
from app.core.database import Database, UnitOfWork, migrations
from app.core.names import name_key
from app.models import User, UsernameKey
from app.services import users
from app.services.users import UsernameTaken
from tests.databases.people import until_done, user_named
from tests.databases.test_migrations import add_no_samples, opened

OLD = [("admin", "admin"), ("adrnin", "adrnin"), ("Bob", "bob"), ("b0b", "b0b"), ("\u0440\u0430ul", "paul")]
"""Names and the keys that they had. The last begins with two Cyrillic letters, which were folded to Latin ones."""


def migrate_to(database: Database, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.SCRIPTS))
    with database.writer.connect() as connection, migrations.locked(connection):
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        connection.commit()


def fill(database: Database, names: list[tuple[str, str]]) -> None:
    columns = ("username", "name_key", "password_hash", "created_at")
    old = table("users", *map(column, columns))
    rows = [{"username": name, "name_key": key, "password_hash": "x", "created_at": 0} for name, key in names]
    with database.writer.begin() as connection:
        connection.execute(insert(old), rows)


def test_names_that_exist_stay_valid_and_the_older_one_has_the_key(settings: Settings) -> None:
    with opened(settings) as database:
        migrate_to(database, "0004")
        many = [(f"user {number}", f"user {number}") for number in range(1100)]
        fill(database, OLD + many)
        migrations.upgrade(database.writer, add_no_samples)
        with UnitOfWork(database.reader) as db:
            for name, _ in OLD:
                found = users.find(db, name)
                assert found is not None
                assert (found.username, found.name_key) == (name, name_key(name))
            query = select(UsernameKey.key, User.username).join(User, User.id == UsernameKey.user_id)
            owners = dict(db.execute(query).all())
            kept = {key: owners[key] for key in ("adrnin", "bob", "paul")}
            assert kept == {"adrnin": "admin", "bob": "Bob", "paul": OLD[-1][0]}
            assert len(owners) > 1100
        for name in ("Adrnin", "B0B", "paul", "user 1O", "user lO"):
            with pytest.raises(UsernameTaken):
                database.transact(users.sign_up, name, "x")
        database.transact(users.sign_up, "saul", "x")


@pytest.mark.parametrize("name", ["aIice", "a1ice", "ALICE", "\u0430lice"])
async def test_a_look_alike_is_refused(database: Database, name: str) -> None:
    await user_named(database, "alice")
    with pytest.raises(UsernameTaken):
        await until_done(partial(database.write, users.sign_up, name, "x"))


async def test_of_look_alikes_that_sign_up_at_once_one_gets_its_name(database: Database) -> None:
    names = ["paul", "\u0440aul", "pau1", "\u0440au1", "PAUL", "pauI"]

    async def sign_up(name: str) -> bool:
        try:
            await until_done(partial(database.write, users.sign_up, name, "x"))
        except UsernameTaken:
            return False
        return True

    assert sum(await asyncio.gather(*map(sign_up, names))) == 1
    assert len(await database.read(lambda db: list(db.scalars(select(User.id))))) == 1
