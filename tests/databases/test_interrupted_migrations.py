"""A start that is killed, or loses its database, while it migrates: the next one succeeds.

SQLite and PostgreSQL roll everything back. MariaDB commits every CREATE and DROP at once, so each is repeatable.
"""

import ast
import itertools
import socket
from pathlib import Path

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    String,
    create_engine,
    func,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from app.core.config import Settings
from app.core.database import Database, migrations
from app.core.database.repeatable_ddl import (
    REPEATABLE,
    TRANSACTIONAL,
    ForeignTable,
    RepeatableMariaDb,
    RepeatableMySql,
)
from app.models import Member, Room, User
from app.runtime import build_runtime
from tests.databases.conftest import new_database
from tests.databases.killed_start import killed_after
from tests.databases.servers import MariaDb, Postgres
from tests.databases.test_migrations import add_no_samples, differences, opened
from tests.support.cutting_proxy import CuttingProxy

KINDS = [
    pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in ("sqlite", "postgresql", "mariadb")
]
SCRIPTS = sorted((migrations.SCRIPTS / "versions").glob("*.py"))


def tables(database_url: str) -> list[str]:
    engine = create_engine(Settings(database_url=database_url).url)
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


def start(database_url: str) -> None:
    """Migrate as at a start, and compare the result with the models."""
    with opened(Settings(database_url=database_url)) as database:
        migrations.upgrade(database.writer, add_no_samples)
        with database.reader.connect() as connection:
            assert differences(connection) == []
            version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
            assert version == [SCRIPTS[-1].name.partition("_")[0]]


def migrated(database_url: str) -> list[tuple[str, str]]:
    """Start on MariaDB, and describe every table. Faster than a comparison with the models."""
    with opened(Settings(database_url=database_url)) as database:
        migrations.upgrade(database.writer, add_no_samples)
        with database.reader.connect() as connection:
            names = connection.exec_driver_sql("SHOW TABLES").scalars().all()
            return [
                (name, connection.exec_driver_sql(f"SHOW CREATE TABLE {name}").one()[1])
                for name in sorted(names)
            ]


@pytest.mark.parametrize("kind", KINDS)
def test_killed_after_any_statement_of_the_migrations_it_starts_again(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database_url = new_database(kind, request, tmp_path)
    whole = []
    if kind == "mariadb":
        start(database_url)
        whole = migrated(database_url)
    partly_done = 0
    for statement in itertools.count(1):
        if kind == "mariadb":
            database_url = new_database(kind, request, tmp_path)
        if not killed_after(statement, database_url, with_samples=False):
            break
        if kind == "mariadb":
            assert migrated(database_url) == whole
        else:
            partly_done += tables(database_url) != []
    assert statement > 12, "it was killed at every statement"
    assert partly_done <= 3, "killed before its commit, a migration is as if it had never begun"
    start(database_url)


def sample_counts(database: Database) -> list[int]:
    with database.reader.connect() as connection:
        counts = (select(func.count()).select_from(table) for table in (User, Room, Member))
        return [connection.execute(count).scalar_one() for count in counts]


def test_killed_after_any_statement_of_the_sample_data_it_is_complete_after_the_next_start(
    database_url: str,
) -> None:
    start(database_url)
    kills = 0
    with opened(Settings(database_url=database_url)) as database:
        for statement in itertools.count(1, 1 if database.dialect == "sqlite" else 3):
            if not killed_after(statement, database_url, with_samples=True):
                break
            counts = sample_counts(database)
            assert counts in ([0, 0, 0], [3, 3, 3])
            kills += counts == [0, 0, 0]
        assert kills > 3, "it was killed between the accounts and rooms"
        for _ in range(2):
            runtime = build_runtime(Settings(_env_file=None, database_url=database_url), "k" * 48)
            runtime.prepare()
            runtime.passwords.close()
            runtime.database.close()
            assert sample_counts(database) == [3, 3, 3]


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_connection_lost_at_any_packet_of_the_migrations_stops_no_later_start(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The database carries out the last statement; its answer is lost."""
    server: Postgres | MariaDb = request.getfixturevalue({"postgresql": "postgres"}.get(kind, kind))
    database_url = server.new_database()
    direct = make_url(database_url)
    proxy = (
        CuttingProxy(socket.AF_UNIX, f"{direct.query['host']}/.s.PGSQL.5432")
        if kind == "postgresql"
        else CuttingProxy(socket.AF_INET, (str(direct.host), direct.port or 3306))
    )
    for packet in itertools.count(8, 7 if kind == "mariadb" else 20):
        if kind == "mariadb":
            database_url = new_database(kind, request, tmp_path)
        url = make_url(database_url).difference_update_query(["host"])
        through = Settings(database_url=url.set(host="127.0.0.1", port=proxy.port).render_as_string(False))
        with opened(through) as database, proxy.cut(packet, delivered=True):
            try:
                migrations.upgrade(database.writer, add_no_samples)
            except (SQLAlchemyError, OSError, migrations.StillMigrating):
                assert proxy.has_cut
        start(database_url)
        if not proxy.has_cut:
            break
        if kind == "postgresql":
            database_url = server.new_database()
    proxy.close()
    assert packet > 60


@pytest.mark.xdist_group("mariadb")
def test_every_operation_on_mariadb_may_be_repeated(mariadb: MariaDb) -> None:
    engine = create_engine(Settings(database_url=mariadb.new_database()).url)
    with engine.connect() as connection:
        for implementation in (RepeatableMySql, RepeatableMariaDb):
            for _ in range(2):
                create_all_kinds(operations(connection, implementation))
            found = inspect(connection)
            assert {column["name"] for column in found.get_columns("b")} == {"id", "a", "size", "name"}
            assert {index["name"] for index in found.get_indexes("b")} >= {"ix_b_name", "uq_b_size"}
            assert [key["name"] for key in found.get_foreign_keys("b")] == ["fk_b_a"]
            assert [check["name"] for check in found.get_check_constraints("b")] == ["ck_b_size"]
            for _ in range(2):
                drop_all_kinds(operations(connection, implementation))
            assert inspect(connection).get_table_names() == []
    engine.dispose()


def operations(connection: Connection, implementation: type[RepeatableMySql]) -> Operations:
    context = MigrationContext.configure(connection)
    assert type(context.impl) is RepeatableMySql, "the first start of a process has replaced Alembic's own"
    context.impl.__class__ = implementation
    return Operations(context)


def create_all_kinds(op: Operations) -> None:
    op.create_table("a", Column("id", Integer, primary_key=True))
    op.create_table(
        "b",
        Column("id", Integer, primary_key=True),
        Column("a", Integer),
        Column("size", Integer, index=True),
    )
    op.add_column("b", Column("name", String(10)))
    op.alter_column("b", "name", type_=String(20), existing_type=String(10))
    op.create_index("ix_b_name", "b", ["name"])
    op.create_foreign_key("fk_b_a", "b", "a", ["a"], ["id"])
    with op.batch_alter_table("b") as batch:
        batch.create_unique_constraint("uq_b_size", ["size"])
        batch.create_check_constraint("ck_b_size", "size > 0")


def drop_all_kinds(op: Operations) -> None:
    if inspect(op.get_bind()).has_table("b"):
        op.drop_constraint("fk_b_a", "b", type_="foreignkey")
        op.drop_constraint("fk_b_a", "b", type_="foreignkey")
        for _ in range(2):
            op.drop_constraint("ck_b_size", "b", type_="check")
            op.drop_constraint("uq_b_size", "b", type_="unique")
            op.drop_index("ix_b_name", "b")
            op.drop_column("b", "name")
    op.drop_table("b")
    op.drop_table("a")


@pytest.mark.xdist_group("mariadb")
def test_a_table_of_another_program_is_not_taken_for_ours(mariadb: MariaDb) -> None:
    settings = Settings(database_url=mariadb.new_database())
    with opened(settings) as database:
        with database.writer.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR(64))")
        with pytest.raises(ForeignTable, match=r"^users: .*another program\?$"):
            migrations.upgrade(database.writer, add_no_samples)


def operations_of(upgrade: str) -> list[str]:
    """The operations that this source calls, in their order. Fails for one that MySQL could not carry out twice."""
    names = []
    calls = (node for node in ast.walk(ast.parse(upgrade)) if isinstance(node, ast.Call))
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        match call.func:
            case ast.Attribute(value=ast.Name(id="op" | "batch_op"), attr=name):
                assert name in REPEATABLE | TRANSACTIONAL, f"op.{name} cannot be repeated on MySQL"
                assert not any(keyword.arg == "new_column_name" for keyword in call.keywords), (
                    "a rename cannot be repeated on MySQL: add a column, copy, and drop the old one a migration later"
                )
                names.append(name)
            case _:
                pass
    return names


def is_data_last(names: list[str]) -> bool:
    """Whether no table is changed after data, which MySQL then commits together with the version."""
    first = next((place for place, name in enumerate(names) if name in TRANSACTIONAL), len(names))
    return not REPEATABLE & set(names[first:])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_migration_can_be_repeated(script: Path) -> None:
    source = script.read_text()
    assert "from alembic import op\n" in source, "the rule looks for the name op"
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    assert {function.name for function in functions} == {"upgrade", "downgrade"}
    for function in functions:
        names = operations_of(ast.unparse(function))
        assert names
        assert is_data_last(names), "data before a change of tables may be stored twice on MySQL"


@pytest.mark.parametrize(
    "statement",
    [
        "op.rename_table('a', 'b')",
        "op.alter_column('a', 'b', new_column_name='c')",
        "op.create_exclude_constraint()",
    ],
)
def test_an_operation_that_cannot_be_repeated_is_found(statement: str) -> None:
    with pytest.raises(AssertionError, match="cannot be repeated"):
        operations_of(statement)


def test_data_before_a_change_of_tables_is_found() -> None:
    change = "with x as batch_op:\n    batch_op.drop_index('i')\n"
    assert is_data_last(operations_of(f"{change}op.add_column('a', b)\nop.execute('UPDATE a')"))
    assert not is_data_last(operations_of(f"op.execute('UPDATE a')\n{change}"))
