"""The address of the database. What it says is done or refused: no option is ignored without a word."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
"""The drivers that this project ships, so that `postgresql://…` is enough."""

_SQLITE = ("sqlite", "sqlite+pysqlite")
_OURS = frozenset({"autocommit", "cursor_factory", "cursorclass", "prepare_threshold", "row_factory"})
"""Arguments of drivers that would break guarantees: transactions, or the form of rows."""


def parse(text: str) -> URL:
    """The address with its driver. Raises ValueError with one sentence, which never contains the password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("not a valid database URL; for example sqlite:///./chat.db") from None
    if url.drivername in _SQLITE:
        _check_sqlite(url)
        return url
    if url.drivername not in DRIVERS.keys() | DRIVERS.values():
        known = ", ".join(["sqlite", *DRIVERS])
        raise ValueError(f"unknown database driver {url.drivername}: use one of {known}")
    return _of_server(url.set(drivername=DRIVERS.get(url.drivername, url.drivername)))


def _check_sqlite(url: URL) -> None:
    """Refuse options, among them those of `file:` URIs: they break guarantees (a shared cache, no locks, memory only),
    or ours replace them; and the signing key and the truncation of the log need the path of the file."""
    if url.query:
        names = ", ".join(sorted(url.query))
        raise ValueError(
            f"SQLite needs the path of its file, without the option {names}: sqlite:////srv/chat/chat.db"
        )
    if url.host or url.username or url.port:
        raise ValueError(
            "the path of a SQLite file begins after three slashes: sqlite:///./chat.db or sqlite:////srv/chat.db"
        )


def _of_server(url: URL) -> URL:
    if url.port is not None and not 0 < url.port < 65_536:
        raise ValueError(f"{url.port} is not a port")
    refused = _OURS & url.query.keys()
    if refused:
        raise ValueError(f"the option {min(refused)} is set by the server; leave it out")
    if url.get_backend_name() == "postgresql":
        return url
    if url.query.get("charset", "utf8mb4") != "utf8mb4":
        raise ValueError("the option charset is always utf8mb4, or emoji would be lost; leave it out")
    return url.update_query_dict({"charset": "utf8mb4"})
