"""`python run.py epoch`: for a snapshot of the database that was put back."""

from tests.operator.conftest import Operator
from tests.support.people import sign_up
from tests.support.server import ChatServer

GENERAL = 1


async def test_a_new_epoch_lets_listeners_come_back_and_ends_no_login(
    server: ChatServer, operator: Operator
) -> None:
    ann = await sign_up(server, "epochal")
    operator.sets(database_url=server.settings["DATABASE_URL"])
    async with ann.enters(GENERAL) as seat:
        assert operator.runs("epoch").out == f"The epoch is: {seat.ready['epoch']}"
        begun = operator.runs("epoch", "--new")
        assert begun.out.startswith("A new epoch has begun: ")
        assert await seat.is_closed() == 1012
    async with ann.enters(GENERAL) as seat:
        assert begun.out.endswith(seat.ready["epoch"])
        assert operator.runs("epoch").out == f"The epoch is: {seat.ready['epoch']}"
    await ann.http.aclose()
