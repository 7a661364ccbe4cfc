"""Signing up and signing in: passwords are verified here, and logins opened and renewed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from app.core.addresses import networks, origin
from app.core.config import Settings
from app.core.database import Database, UnitOfWork
from app.core.errors import Forbidden, Unauthorized
from app.core.names import name_key
from app.core.security.account_delays import AccountDelays
from app.core.security.audit import Audit, AuditEvent, Client
from app.core.security.password_policy import PasswordPolicy, SamePassword
from app.core.security.passwords import Passwords
from app.core.security.rate_limits import NestedLimiter, RateLimiter, TooFast
from app.core.security.refresh_tokens import TokenChain
from app.core.security.tokens import InvalidToken, Tokens
from app.models import User
from app.schemas.auth import Credentials, Grant, PasswordChange, SignUp
from app.services import refresh_tokens, sessions, users
from app.services.callers import Caller
from app.services.refresh_tokens import Lifetimes, Reused

NETWORK_WIDTHS = (1, 4, 16)
"""How many addresses a /64, a /56 and a /48 around a client count for: they may be of one customer or of many."""


class WrongCredentials(Unauthorized):
    """The name or the password is wrong."""


class WrongPassword(Forbidden):
    """The current password is wrong."""


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How often a client may try. Hashing a password is the most expensive operation an anonymous client can
    trigger."""

    sign_ups: NestedLimiter
    """By address and network."""
    logins: NestedLimiter
    """By address and network, whatever the name; with refreshes."""
    guesses: RateLimiter
    """By address and name."""
    accounts: AccountDelays
    """By name, from addresses where its user is not signed in."""

    @classmethod
    def within(cls, settings: Settings) -> Self:
        return cls(
            _nested(settings.signups_per_address),
            _nested(settings.logins_per_address),
            RateLimiter.per_minute(settings.logins_per_minute),
            AccountDelays(settings.logins_per_minute),
        )


def _nested(per_minute: int) -> NestedLimiter:
    return NestedLimiter(*(RateLimiter.per_minute(per_minute * width) for width in NETWORK_WIDTHS))


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Makes the tokens of a login."""

    tokens: Tokens
    chain: TokenChain
    lifetimes: Lifetimes

    def grant(self, login: sessions.Login) -> Grant:
        return Grant(
            access_token=self.tokens.sign(login.user_id, login.session_id),
            refresh_token=login.refresh_token,
            expires_in=self.tokens.lifetime_seconds,
        )


class Authentication:
    """Turns credentials into logins. Passwords are verified outside any transaction, and an unknown name takes as long
    as a wrong password."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        policy: PasswordPolicy,
        issuer: TokenIssuer,
        limits: AttemptLimits,
        audit: Audit,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._policy = policy
        self._issuer = issuer
        self._limits = limits
        self._audit = audit

    async def sign_up(self, wanted: SignUp, client: Client) -> User:
        """Raises UsernameTaken, CommonPassword, PasswordFromName, TooBusy, and TooFast for too many accounts from one
        address."""
        with self._limited("SIGNUPS_PER_ADDRESS", client):
            self._limits.sign_ups.spend(networks(client.address))
        self._policy.check(wanted.password, wanted.username)
        hashed = await self._passwords.hash(wanted.password, origin(client.address))
        user = await self._database.write(users.sign_up, wanted.username, hashed)
        self._audit.record(AuditEvent.ACCOUNT_MADE, client, user=user.username, user_id=user.id)
        return user

    async def login(self, given: Credentials, client: Client) -> Grant:
        """Raises WrongCredentials, TooBusy, and TooFast for too many tries at one name or from one address."""
        address, name = origin(client.address), name_key(given.username)
        with self._limited("LOGINS_PER_ADDRESS", client):
            self._limits.logins.spend(networks(client.address))
        with self._limited("LOGINS_PER_MINUTE", client):
            self._limits.guesses.spend(f"{address} {name}")
        user = await self._database.read(users.find, given.username)
        known = user if user and user.is_active else None
        await self._delay_guesses(name, known, address, client)
        hashed = known.password_hash if known else None
        right = await self._passwords.matches(given.password, hashed, address)
        # A name without an account is not recorded: it may be a password, typed into the wrong field.
        whom = {"user": known.username, "user_id": known.id} if known else {}
        if known is None or not right:
            self._audit.record(AuditEvent.LOGIN_FAILED, client, **whom)
            raise WrongCredentials
        self._limits.accounts.succeeded(name)
        lifetime_ms = self._issuer.lifetimes.first
        login = await self._database.write(_open, known, client, lifetime_ms)
        self._audit.record(AuditEvent.LOGIN_OK, client, **whom, session=login.session_id)
        self._record_ended(known.id, known.username, login.surplus, "too many logins", client)
        return self._issuer.grant(login)

    async def refresh(self, refresh_token: str, client: Client) -> Grant:
        """Raises InvalidToken, and TooFast for too many tries from one address."""
        with self._limited("LOGINS_PER_ADDRESS", client):
            self._limits.logins.spend(networks(client.address))
        login: sessions.Login | Reused | None = None
        if await self._database.read(refresh_tokens.is_known, refresh_token):  # without the writer thread
            chain, lifetimes = self._issuer.chain, self._issuer.lifetimes
            login = await self._database.write(refresh_tokens.rotate, refresh_token, chain, lifetimes)
        match login:
            case sessions.Login():
                return self._issuer.grant(login)
            case Reused():
                whom = {"user": login.username, "user_id": login.user_id}
                self._audit.record(AuditEvent.REFRESH_REUSED, client, **whom, session=login.session_id)
            case None:
                self._audit.record(AuditEvent.TOKEN_REFUSED, client, credential="refresh")
        raise InvalidToken

    async def change_password(self, who: Caller, change: PasswordChange, client: Client) -> None:
        """Ends every other login of the user. Raises WrongPassword, SamePassword, CommonPassword, PasswordFromName,
        TooBusy, TooFast after too many tries."""
        with self._limited("LOGINS_PER_MINUTE", client, **_named(who)):
            self._limits.guesses.spend(f"password {who.user_id}")
        address = origin(client.address)
        user = await self._database.read(_user, who)
        if not await self._passwords.matches(change.current_password, user.password_hash, address):
            self._audit.record(AuditEvent.LOGIN_FAILED, client, **_named(who), session=who.session_id)
            raise WrongPassword
        if change.new_password == change.current_password:
            raise SamePassword
        self._policy.check(change.new_password, who.username)
        hashed = await self._passwords.hash(change.new_password, address)
        ended = await self._database.write(_set_password, who, hashed)
        self._audit.record(AuditEvent.PASSWORD_CHANGED, client, **_named(who), session=who.session_id)
        self._record_ended(who.user_id, who.username, ended, "new password", client)

    async def end_session(self, who: Caller, session_id: str, client: Client) -> None:
        """End one of the caller's logins. Raises SessionNotFound for a login of another user."""
        await self._database.write(sessions.revoke, who, session_id)
        reason = "logout" if session_id == who.session_id else "ended from another session"
        self._record_ended(who.user_id, who.username, [session_id], reason, client)

    async def _delay_guesses(self, name: str, known: User | None, address: str, client: Client) -> None:
        """Raises TooFast, except where the user is signed in: those who guess must not lock out the owner."""
        try:
            self._limits.accounts.begin(name)
        except TooFast:
            whom: dict[str, object] = {}
            if known is not None:
                if await self._database.read(sessions.has_origin, known.id, address):
                    return
                whom = {"user": known.username, "user_id": known.id}
            self._audit.record(AuditEvent.LIMIT_HIT, client, limit="LOGINS_PER_MINUTE", **whom)
            raise

    @contextmanager
    def _limited(self, setting: str, client: Client, **who: object) -> Iterator[None]:
        """Record a limit that is hit inside."""
        try:
            yield
        except TooFast:
            self._audit.record(AuditEvent.LIMIT_HIT, client, limit=setting, **who)
            raise

    def _record_ended(
        self, user_id: int, username: str, session_ids: Sequence[str], reason: str, client: Client
    ) -> None:
        for session_id in session_ids:
            whom = {"user": username, "user_id": user_id}
            self._audit.record(AuditEvent.SESSION_ENDED, client, **whom, session=session_id, reason=reason)


def _named(who: Caller) -> dict[str, object]:
    return {"user": who.username, "user_id": who.user_id}


def _user(db: UnitOfWork, who: Caller) -> User:
    return db.get_one(User, who.user_id)


def _open(db: UnitOfWork, verified: User, client: Client, lifetime_ms: int) -> sessions.Login:
    """Open a login, unless the verified password was changed meanwhile. Raises WrongCredentials."""
    if not users.still_has(db, verified.id, verified.password_hash):
        raise WrongCredentials
    address = origin(client.address)
    return sessions.open_session(db, verified.id, client.user_agent, lifetime_ms, address)


def _set_password(db: UnitOfWork, who: Caller, hashed: str) -> Sequence[str]:
    """Returns the logins that end."""
    users.set_password(db.get_one(User, who.user_id, with_for_update=True), hashed)
    return sessions.revoke_others(db, who)
