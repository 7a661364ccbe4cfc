"""`python run.py users`: accounts as the operator sees and changes them."""

import pytest

from app.core.database import UnitOfWork
from app.core.security.passwords import Passwords
from app.services import sessions, users
from tests.operator.conftest import Operator
from tests.operator.test_backup import rows
from tests.operator.test_cli import on_a_terminal
from tests.support.people import sign_up
from tests.support.server import ChatServer


@pytest.fixture
def operator(operator: Operator) -> Operator:
    """An operator whose database has the sample accounts."""
    operator.creates()
    return operator


def log_in(operator: Operator, *names: str) -> None:
    database = operator.opens()
    for name in names:
        database.transact(log_in_as, name)
    database.close()


def log_in_as(db: UnitOfWork, name: str) -> None:
    sessions.open_session(db, users.named(db, name).id, "", 60_000)


def open_logins(operator: Operator) -> list[tuple[object, ...]]:
    return rows(
        operator.database,
        "SELECT username FROM users JOIN sessions ON users.id = user_id WHERE revoked_at IS NULL ORDER BY username",
    )


def has_password(operator: Operator, name: str, password: str) -> bool:
    [(hashed,)] = rows(operator.database, f"SELECT password_hash FROM users WHERE username = '{name}'")
    assert isinstance(hashed, str)
    passwords = Passwords()
    try:
        return passwords.verify(password, hashed)
    finally:
        passwords.close()


def test_accounts_are_listed_with_their_logins_and_administrators(operator: Operator) -> None:
    log_in(operator, "user1", "user1")
    shown = operator.runs("users", "list")
    assert shown.status == 0
    assert "admin 20" in shown.out
    assert shown.out.count("administrator") == 1, "the sample admin is one"
    [line] = [line for line in shown.out.split("user")[1:] if line.startswith("1 ")]
    assert line.split()[-1] == "2"


def test_a_user_becomes_an_administrator(operator: Operator) -> None:
    assert operator.runs("users", "promote", "USER1").out == "user1 is an administrator."
    found = rows(operator.database, "SELECT username FROM users WHERE is_administrator ORDER BY id")
    assert found == [("admin",), ("user1",)]


@pytest.mark.parametrize("command", ["promote", "password", "close-sessions"])
def test_a_user_who_does_not_exist_is_refused(operator: Operator, command: str) -> None:
    refused = operator.runs("users", command, "user3")
    assert (refused.status, refused.err) == (2, "Refused: There is no user with this name.")


def test_a_password_from_standard_input_ends_the_logins_of_its_account_alone(operator: Operator) -> None:
    log_in(operator, "user1", "user2")
    done = operator.runs("users", "password", "user1", "--stdin", stdin="a new and long one\n")
    assert done.out == "The password of user1 is changed. 1 logins ended."
    assert has_password(operator, "user1", "a new and long one")
    assert open_logins(operator) == [("user2",)]


def test_a_password_that_signing_up_would_not_accept_is_refused(operator: Operator) -> None:
    refused = operator.runs("users", "password", "user1", "--stdin", stdin="short\n")
    assert refused.status == 2
    assert "at least 8 characters" in refused.err
    assert "short" not in refused.err
    assert has_password(operator, "user1", "password123")


def test_on_a_terminal_a_password_is_asked_twice_and_not_shown(operator: Operator) -> None:
    shown = on_a_terminal(
        operator.folder,
        "users",
        "password",
        "user1",
        enters=("the first try", "another word", "correct horse", "correct horse"),
    )
    assert "do not match" in shown
    assert "horse" not in shown
    assert "try" not in shown
    assert has_password(operator, "user1", "correct horse")


def test_the_logins_of_all_accounts_are_closed_only_if_asked(operator: Operator) -> None:
    log_in(operator, "user1", "user2")
    for wrong in ((), ("user1", "--all")):
        assert operator.runs("users", "close-sessions", *wrong).status == 2
    assert len(open_logins(operator)) == 2
    assert operator.runs("users", "close-sessions", "user1").out == "1 logins ended."
    assert open_logins(operator) == [("user2",)]
    assert operator.runs("users", "close-sessions", "--all").out == "1 logins ended."
    assert open_logins(operator) == []


async def test_a_running_server_closes_the_sockets_of_sessions_that_were_closed(
    server: ChatServer, operator: Operator
) -> None:
    ann = await sign_up(server, "watched")
    operator.sets(database_url=server.settings["DATABASE_URL"])
    async with ann.connects() as seat:
        assert operator.runs("users", "close-sessions", "watched").out == "1 logins ended."
        assert await seat.is_closed() == 4401
    await ann.http.aclose()


def test_tables_of_another_version_are_not_touched(operator: Operator) -> None:
    database = operator.opens()
    with database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    database.close()
    refused = operator.runs("users", "list")
    assert refused.status == 2
    assert "start the server once" in refused.err


def test_a_database_that_is_missing_is_not_created(operator: Operator) -> None:
    operator.database.unlink()
    assert "start the server once" in operator.runs("users", "list").err
    assert not operator.database.exists()
