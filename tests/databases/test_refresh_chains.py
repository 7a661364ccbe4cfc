"""Refresh tokens, attacked: whatever clients, servers and keys do, an open login has one token that is not spent."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from functools import partial

import pytest
from sqlalchemy import select

from app.core.clock import now_ms
from app.core.config import Settings
from app.core.database import Database, UnitOfWork
from app.core.security.refresh_tokens import SPENT_KEPT, TokenChain, fingerprint
from app.models import RefreshToken, Session
from app.services import refresh_tokens, sessions
from app.services.callers import Caller
from app.services.refresh_tokens import Lifetimes, Reused
from app.services.sessions import Login
from tests.databases.people import until_done, user_named

DAY_MS = 86_400_000
LIFETIMES = Lifetimes(30 * DAY_MS, 180 * DAY_MS)
YESTERDAY, TODAY = "the key of yesterday" * 3, "the key of today" * 3
OLD_KEY, NEW_KEY, BOTH_KEYS = TokenChain(YESTERDAY), TokenChain(TODAY), TokenChain(TODAY, [YESTERDAY])


@pytest.fixture
async def ann(database: Database) -> Caller:
    return await user_named(database, "ann")


@pytest.fixture
async def other_process(database: Database, settings: Settings) -> AsyncIterator[Database]:
    """The same database with other connections and threads, as another process has it."""
    other = Database(settings.url, pool_size=5)
    yield other
    other.close()


async def log_in(database: Database, ann: Caller) -> Login:
    return await until_done(partial(database.write, sessions.open_session, ann.user_id, "", DAY_MS))


async def present(
    database: Database, token: str, key: TokenChain = OLD_KEY, lifetimes: Lifetimes = LIFETIMES
) -> str | None:
    """The next refresh token; None if this one is refused."""
    found = await until_done(partial(database.write, refresh_tokens.rotate, token, key, lifetimes))
    return found.refresh_token if isinstance(found, Login) else None


def stored(db: UnitOfWork, session_id: str) -> tuple[bool, list[RefreshToken]]:
    """Whether the login is open, and its tokens in their order."""
    session = db.get_one(Session, session_id)
    tokens = select(RefreshToken).where(RefreshToken.session_id == session_id).order_by(RefreshToken.number)
    return session.is_open(now_ms()), list(db.scalars(tokens))


async def is_open(database: Database, login: Login) -> bool:
    """Whether the login is open. Checks what has to be true of the chain of an open one."""
    found, tokens = await database.read(stored, login.session_id)
    if found:
        live = [token for token in tokens if token.spent_at is None]
        assert [token.number for token in live] == [tokens[-1].number], "one token is not spent: the last"
        assert len(tokens) <= SPENT_KEPT + 2
    return found


async def test_clients_that_refresh_at_once_get_the_same_successor(
    database: Database, other_process: Database, ann: Caller
) -> None:
    """Two tabs, or a client that did not wait for the answer, at two servers."""
    login = await log_in(database, ann)
    token = login.refresh_token
    for _ in range(3):
        asked = [present(where, token) for where in (database, other_process) * 6]
        answers = set(await asyncio.gather(*asked))
        assert len(answers) == 1
        token = answers.pop() or ""
        assert token
        assert await is_open(database, login)


async def test_a_token_whose_successor_was_used_ends_the_login(database: Database, ann: Caller) -> None:
    login, other = await log_in(database, ann), await log_in(database, ann)
    second = await present(database, login.refresh_token) or ""
    third = await present(database, second)
    assert third
    assert await present(database, login.refresh_token) is None
    assert not await is_open(database, login)
    assert await present(database, third) is None, "whoever has the last token may be the thief"
    assert await is_open(database, other)


async def test_a_thief_and_an_owner_who_race_never_both_stay(
    database: Database, other_process: Database, ann: Caller
) -> None:
    """Both present the old token and its successor at once: the order decides whether the login ends."""
    for _ in range(5):
        login = await log_in(database, ann)
        second = await present(database, login.refresh_token) or ""
        old, new = await asyncio.gather(
            present(database, login.refresh_token), present(other_process, second)
        )
        assert new, "the successor is valid when it comes first, and when the old one is repeated first"
        assert old in {second, None}
        assert await is_open(database, login) is (old == second)


@pytest.mark.parametrize(
    "seconds, is_repeated", [(29, True), (31, False), (-55, True), (-65, False), (DAY_MS, False)]
)
async def test_a_spent_token_is_answered_again_for_half_a_minute(
    database: Database, ann: Caller, monkeypatch: pytest.MonkeyPatch, seconds: int, is_repeated: bool
) -> None:
    """The other server's clock may be behind, up to the leeway; a clock that was set back does no more."""
    lifetimes = Lifetimes(2 * DAY_MS * 1000, 2 * DAY_MS * 1000)
    login = await log_in(database, ann)
    second = await present(database, login.refresh_token, lifetimes=lifetimes)
    now = now_ms()
    monkeypatch.setattr(refresh_tokens, "now_ms", lambda: now + seconds * 1000)
    again = await present(database, login.refresh_token, lifetimes=lifetimes)
    assert again == (second if is_repeated else None)
    monkeypatch.undo()
    assert await is_open(database, login) is is_repeated


async def test_a_server_that_knows_the_previous_key_repeats_what_another_one_derived(
    database: Database, other_process: Database, ann: Caller
) -> None:
    """Servers are restarted one after the other, with `SECRET_KEY_PREVIOUS`."""
    login = await log_in(database, ann)
    second = await present(database, login.refresh_token, OLD_KEY) or ""
    assert await present(other_process, login.refresh_token, BOTH_KEYS) == second
    third = await present(other_process, second, BOTH_KEYS)
    assert third == TokenChain(TODAY).successors(second)[0]
    assert await present(other_process, second, BOTH_KEYS) == third
    assert await is_open(database, login)


async def test_a_repetition_after_the_key_changed_goes_on_and_theft_is_still_seen(
    database: Database, other_process: Database, ann: Caller
) -> None:
    """The server restarted with another key while the answer was on its way."""
    login = await log_in(database, ann)
    lost = await present(database, login.refresh_token, OLD_KEY) or ""
    tokens = await asyncio.gather(
        *(present(where, login.refresh_token, NEW_KEY) for where in (database, other_process) * 3)
    )
    (second,) = set(tokens)
    assert second
    assert second != lost
    assert await is_open(database, login)
    third = await present(database, second, NEW_KEY)
    assert third
    assert await is_open(database, login)
    assert await present(database, lost, NEW_KEY) is None, "it was replaced, so a second client has it"
    assert not await is_open(database, login)


async def test_a_key_that_changes_back_and_forth_cannot_fork_a_chain(database: Database, ann: Caller) -> None:
    login = await log_in(database, ann)
    assert await present(database, login.refresh_token, OLD_KEY)
    assert await present(database, login.refresh_token, NEW_KEY)
    assert await present(database, login.refresh_token, OLD_KEY) is None
    assert not await is_open(database, login)


async def test_only_the_last_spent_tokens_are_kept(database: Database, ann: Caller) -> None:
    login = await log_in(database, ann)
    chain = [login.refresh_token]
    for _ in range(SPENT_KEPT + 5):
        chain.append(await present(database, chain[-1]) or "")
    _, tokens = await database.read(stored, login.session_id)
    assert [token.fingerprint for token in tokens] == [fingerprint(text) for text in chain[-SPENT_KEPT - 1 :]]
    assert await present(database, chain[0]) is None
    assert await is_open(database, login), "it is not known any more"
    assert await present(database, chain[-SPENT_KEPT - 1]) is None
    assert not await is_open(database, login)


async def test_a_login_ends_after_its_longest_life_however_often_it_is_refreshed(
    database: Database, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = await log_in(database, ann)
    lifetimes = Lifetimes(2 * DAY_MS, 5 * DAY_MS)
    begun, token = now_ms(), login.refresh_token
    for day in range(10):
        monkeypatch.setattr(refresh_tokens, "now_ms", partial(int, begun + day * DAY_MS - 10_000))
        following = await present(database, token, lifetimes=lifetimes)
        assert (following is not None) == (day <= 5)
        token = following or token


async def test_the_twenty_first_login_ends_the_one_that_was_not_used_for_the_longest_time(
    database: Database, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(now_ms())
    for module in (sessions, refresh_tokens):
        monkeypatch.setattr(module, "now_ms", lambda: next(clock))
    logins = [await log_in(database, ann) for _ in range(sessions.MAX_SESSIONS)]
    assert await present(database, logins[0].refresh_token)
    last = await log_in(database, ann)
    assert last.surplus == [logins[1].session_id]
    found = await database.read(sessions.open_sessions, ann)
    kept = {login.session_id for login in (*logins, last)} - {logins[1].session_id}
    assert {session.id for session in found} == kept


async def test_an_expired_login_is_deleted_a_day_late_and_a_revoked_one_at_the_next_login(
    database: Database, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that was wrong for a while costs nobody a login."""
    login, revoked = await log_in(database, ann), await log_in(database, ann)
    await database.write(lambda db: sessions.end(db, [revoked.session_id]))
    begun = now_ms()
    monkeypatch.setattr(sessions, "now_ms", lambda: begun + 2 * DAY_MS - 10_000)
    await log_in(database, ann)
    assert await is_open(database, login), "with the right time again"
    known = await database.read(lambda db: set(db.scalars(select(Session.id))))
    assert revoked.session_id not in known
    monkeypatch.setattr(sessions, "now_ms", lambda: begun + 2 * DAY_MS + 10_000)
    await log_in(database, ann)
    known = await database.read(lambda db: set(db.scalars(select(Session.id))))
    assert login.session_id not in known


async def test_at_random_no_order_of_presentations_breaks_the_chain(
    database: Database, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any token ever issued, with either key, at any later time. A model predicts what ends the login."""
    chance = random.Random(20_18)
    now = now_ms()
    monkeypatch.setattr(refresh_tokens, "now_ms", lambda: now)
    ended = 0
    for _ in range(8):
        login = await log_in(database, ann)
        issued = [login.refresh_token]
        spent: dict[str, int] = {}
        for _ in range(12):
            now += chance.choice([0, 1_000, 10_000])
            token = chance.choices(issued[-3:], (1, 4, 12)[-len(issued) :])[0]
            was_live, since = token == issued[-1], spent.get(token)
            answer = await present(database, token)
            if was_live:
                spent[token] = now
                assert answer is not None
                issued.append(answer)
            elif token == issued[-2] and now - (since or 0) <= 30_000:
                assert answer == issued[-1]
            else:
                assert answer is None
                assert not await is_open(database, login)
                ended += 1
                break
            assert await is_open(database, login)
    assert 0 < ended < 8


async def test_a_reuse_tells_whose_login_it_ended(database: Database, ann: Caller) -> None:
    login = await log_in(database, ann)
    await present(database, await present(database, login.refresh_token) or "")
    found = await database.write(refresh_tokens.rotate, login.refresh_token, OLD_KEY, LIFETIMES)
    assert found == Reused(ann.user_id, "ann", login.session_id)
