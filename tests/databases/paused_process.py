"""A process of its own that is paused in the middle of a transaction: `python -m … URL ROOM USER`."""

import os
import signal
import sys

from app.core.config import Settings
from app.core.database import Database, DatabaseUnavailable, UnitOfWork, Unknown
from app.services import epochs
from app.services.ledger.numbering import Draft, record
from tests.databases.fault_deadlines import DEADLINES


def store_and_stop(db: UnitOfWork, room_id: int, user_id: int) -> None:
    record(db, [Draft(room_id, user_id, "ann", "paused", None, None, epochs.name(db))])
    os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    database = Database(Settings(database_url=sys.argv[1]).url, pool_size=2, deadlines=DEADLINES)
    try:
        database.transact(store_and_stop, int(sys.argv[2]), int(sys.argv[3]))
    except (Unknown, DatabaseUnavailable) as error:
        print(error.code)
    else:
        print("stored")
