"""Signing up and signing in: passwords are verified here, and logins opened and renewed."""

from dataclasses import dataclass
from typing import Self

from app.core.addresses import origin
from app.core.config import Settings
from app.core.database import Database, UnitOfWork
from app.core.errors import Forbidden, Unauthorized
from app.core.security.passwords import Passwords
from app.core.security.rate_limits import RateLimiter
from app.core.security.tokens import InvalidToken, Tokens
from app.core.text import name_key
from app.models import User
from app.schemas.auth import Credentials, Grant, PasswordChange, SignUp
from app.services import sessions, users
from app.services.callers import Caller


class WrongCredentials(Unauthorized):
    """The name or the password is wrong."""


class WrongPassword(Forbidden):
    """The current password is wrong."""


@dataclass(frozen=True, slots=True)
class Client:
    """The origin of a login."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How often a client may try. Hashing a password is the most expensive operation an anonymous client can
    trigger."""

    sign_ups: RateLimiter
    """By address."""
    logins: RateLimiter
    """By address, whatever the name; with refreshes."""
    guesses: RateLimiter
    """By address and name."""

    @classmethod
    def within(cls, settings: Settings) -> Self:
        return cls(
            RateLimiter.per_minute(settings.signups_per_address),
            RateLimiter.per_minute(settings.logins_per_address),
            RateLimiter.per_minute(settings.logins_per_minute),
        )


class Authentication:
    """Turns credentials into logins. Passwords are verified outside any transaction, and an unknown name takes as long
    as a wrong password."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        tokens: Tokens,
        limits: AttemptLimits,
        refresh_seconds: int,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._tokens = tokens
        self._limits = limits
        self._refresh_ms = refresh_seconds * 1000

    async def sign_up(self, wanted: SignUp, client: Client) -> User:
        """Raises UsernameTaken, TooBusy, and TooFast for too many accounts from one address."""
        self._limits.sign_ups.spend(origin(client.address))
        hashed = await self._passwords.hash(wanted.password)
        return await self._database.write(users.sign_up, wanted.username, hashed)

    async def login(self, given: Credentials, client: Client) -> Grant:
        """Raises WrongCredentials, TooBusy, and TooFast for too many tries at one name or from one address."""
        address = origin(client.address)
        self._limits.logins.spend(address)
        self._limits.guesses.spend(f"{address} {name_key(given.username)}")
        user = await self._database.read(users.find, given.username)
        known = user if user and user.is_active else None
        right = await self._passwords.matches(given.password, known.password_hash if known else None)
        if known is None or not right:
            raise WrongCredentials
        return self._grant(await self._database.write(_open, known, client.user_agent, self._refresh_ms))

    async def refresh(self, refresh_token: str, client: Client) -> Grant:
        """Raises InvalidToken, and TooFast for too many tries from one address."""
        self._limits.logins.spend(origin(client.address))
        if not await self._database.read(sessions.is_known, refresh_token):
            raise InvalidToken  # without the writer thread
        login = await self._database.write(sessions.rotate, refresh_token, self._refresh_ms)
        if login is None:
            raise InvalidToken
        return self._grant(login)

    async def change_password(self, who: Caller, change: PasswordChange) -> None:
        """Ends every other login of the user. Raises WrongPassword, TooBusy, TooFast after too many tries."""
        self._limits.guesses.spend(f"password {who.user_id}")
        user = await self._database.read(_user, who)
        if not await self._passwords.matches(change.current_password, user.password_hash):
            raise WrongPassword
        await self._database.write(_set_password, who, await self._passwords.hash(change.new_password))

    def _grant(self, login: sessions.Login) -> Grant:
        return Grant(
            access_token=self._tokens.sign(login.user_id, login.session_id),
            refresh_token=login.refresh_token,
            expires_in=self._tokens.lifetime_seconds,
        )


def _user(db: UnitOfWork, who: Caller) -> User:
    return db.get_one(User, who.user_id)


def _open(db: UnitOfWork, verified: User, user_agent: str, lifetime_ms: int) -> sessions.Login:
    """Open a login, unless the verified password was changed meanwhile. Raises WrongCredentials."""
    if not users.still_has(db, verified.id, verified.password_hash):
        raise WrongCredentials
    return sessions.open_session(db, verified.id, user_agent, lifetime_ms)


def _set_password(db: UnitOfWork, who: Caller, hashed: str) -> None:
    users.set_password(db.get_one(User, who.user_id, with_for_update=True), hashed)
    sessions.revoke_others(db, who)
