"""Checks that need the database: its tables, its clock, its accounts, and what is peculiar to each kind."""

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app.core.clock import now_ms
from app.core.config import ConfigurationError, Settings
from app.core.database import Database, UnitOfWork, file_lock
from app.core.security.passwords import Passwords
from app.core.startup import check_database
from app.models import Message, Session
from app.operator import schema, sqlite_file
from app.operator.doctor import mariadb, postgresql
from app.operator.doctor.findings import Findings, fine, harm, note
from app.services import samples

CLOCK_SECONDS = 5.0
"""By how much clocks may differ."""
_EPOCH_SECONDS = {
    "postgresql": "SELECT EXTRACT(EPOCH FROM clock_timestamp())",
    "mysql": "SELECT UNIX_TIMESTAMP(NOW(3))",
    "mariadb": "SELECT UNIX_TIMESTAMP(NOW(3))",
}


def database(settings: Settings) -> Findings:
    """Everything about the database. A SQLite file that is missing is not created."""
    path = settings.database_file
    if path is not None and not path.exists():
        yield note("database", f"{path} is not there yet; the first start creates it")
        return
    try:
        with file_lock.shared(settings.database_file):
            check_database(settings.url)
            yield from _opened(settings)
    except ConfigurationError as error:
        yield harm("database", f"{error}{postgresql.pooler_advice(str(error))}")
    except DBAPIError as error:
        yield harm("database", " ".join(str(error.orig).split()))


def _opened(settings: Settings) -> Findings:
    database = Database(settings.url, settings.database_pool_size)
    try:
        yield from _of_its_kind(settings, database)
        with database.reader.connect() as connection:
            found = schema.of_database(connection)
        yield from _tables(found)
        if schema.is_current(found):
            with UnitOfWork(database.reader) as db:
                yield from _clock(db)
                yield from _accounts(db, settings)
    finally:
        database.close()


def _of_its_kind(settings: Settings, database: Database) -> Findings:
    match database.dialect:
        case "postgresql":
            yield from postgresql.check(database)
        case "mysql" | "mariadb":
            yield from mariadb.check(database)
        case _:
            path = settings.database_file
            if path is not None:
                with sqlite_file.opened(path) as connection:
                    damage = sqlite_file.check(connection)
                if damage:
                    yield harm("quick_check", f"{path} is damaged: {damage}; restore a backup")
                else:
                    yield fine("quick_check", f"{path} is sound")


def _tables(found: schema.Schema) -> Findings:
    if not found.tables:
        yield note("tables", "there are none yet; the first start creates them")
    elif foreign := schema.why_foreign(found):
        yield harm("tables", f"the database {foreign}")
    elif not schema.is_current(found):
        yield note("tables", f"are at migration {found.revision}; the next start brings them up to date")
    else:
        yield fine("tables", f"are at migration {found.revision}, the newest")


def _clock(db: UnitOfWork) -> Findings:
    """This clock against the database's, or on SQLite against the newest entry."""
    if db.get_bind().dialect.name == "sqlite":
        newest = [db.scalar(select(func.max(column))) for column in (Message.created_at, Session.created_at)]
        ahead = (max(time or 0 for time in newest) - now_ms()) / 1000
        if ahead > CLOCK_SECONDS:
            yield harm("clock", f"the newest entry is {ahead:,.0f} s in the future; set this machine's clock")
            return
    else:
        sent = now_ms()
        answered = 1000 * float(db.scalars(text(_EPOCH_SECONDS[db.get_bind().dialect.name])).one())
        difference = abs(answered - (sent + now_ms()) / 2) / 1000
        if difference > CLOCK_SECONDS:
            yield harm("clock", f"differs from the database's by {difference:,.1f} s; set both by NTP")
            return
    yield fine("clock", "agrees with the database")


def _accounts(db: UnitOfWork, settings: Settings) -> Findings:
    passwords = Passwords()
    accounts = samples.with_public_passwords(db, passwords)
    passwords.close()
    shown = ", ".join(accounts)
    if not accounts:
        yield fine("accounts", "no sample account has its public password")
    elif settings.in_production or settings.is_exposed:
        yield harm(
            "accounts",
            f"the passwords of {shown} are public; run:  python run.py users password {accounts[0]}",
        )
    else:
        yield note("accounts", f"the passwords of {shown} are public; change them before others can connect")
