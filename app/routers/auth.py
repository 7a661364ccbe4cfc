"""Accounts and logins."""

from typing import Annotated

from fastapi import Depends, Path, status
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import ValidationError

from app.routers.http.dependencies import AuthenticationDep, CallerDep, ClientDep, DatabaseDep
from app.routers.http.strict_routes import api
from app.schemas.auth import Credentials, Grant, PasswordChange, Refresh, SessionOut, SignUp, UserOut
from app.schemas.problems import responses
from app.services import sessions
from app.services.auth import WrongCredentials

router = api("auth", "Authentication")

SessionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


@router.post("/signup", status_code=status.HTTP_201_CREATED, responses=responses(409, 422))
async def sign_up(wanted: SignUp, client: ClientDep, authentication: AuthenticationDep) -> UserOut:
    """Register a user."""
    user = await authentication.sign_up(wanted, client)
    return UserOut.of(user.id, user.username, user.created_at)


@router.post("/login", responses=responses(401, 422, 429))
async def login(given: Credentials, client: ClientDep, authentication: AuthenticationDep) -> Grant:
    """Exchange a username and a password for tokens."""
    return await authentication.login(given, client)


@router.post("/token", responses=responses(401, 422, 429))
async def login_with_form(
    form: Annotated[OAuth2PasswordRequestForm, Depends()],
    client: ClientDep,
    authentication: AuthenticationDep,
) -> Grant:
    """Log in with a form (OAuth 2.0 password grant), for *Authorize* in these documents."""
    try:
        given = Credentials(username=form.username, password=form.password)
    except ValidationError:
        raise WrongCredentials from None
    return await authentication.login(given, client)


@router.post("/refresh", responses=responses(401, 422))
async def refresh_tokens(given: Refresh, client: ClientDep, authentication: AuthenticationDep) -> Grant:
    """Exchange a refresh token for new tokens. Repeated within 30 seconds, the answer has the same refresh token; any
    later use ends the session."""
    return await authentication.refresh(given.refresh_token, client)


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT, responses=responses(401))
async def logout(who: CallerDep, client: ClientDep, authentication: AuthenticationDep) -> None:
    """End this session, with its tokens and its connections."""
    await authentication.end_session(who, who.session_id, client)


@router.get("/me", responses=responses(401))
async def get_me(who: CallerDep) -> UserOut:
    """Get the current user."""
    return UserOut.of(who.user_id, who.username, who.created_at)


@router.post("/password", status_code=status.HTTP_204_NO_CONTENT, responses=responses(401, 403, 422, 429))
async def change_password(
    change: PasswordChange, who: CallerDep, client: ClientDep, authentication: AuthenticationDep
) -> None:
    """Change the password. Every other session of the user ends."""
    await authentication.change_password(who, change, client)


@router.get("/sessions", responses=responses(401))
async def list_sessions(who: CallerDep, database: DatabaseDep) -> list[SessionOut]:
    """List the user's sessions, newest first."""
    found = await database.read(sessions.open_sessions, who)
    return [SessionOut.of(session, who.session_id) for session in found]


@router.delete(
    "/sessions/{session_id}", status_code=status.HTTP_204_NO_CONTENT, responses=responses(401, 404)
)
async def end_session(
    session_id: SessionId, who: CallerDep, client: ClientDep, authentication: AuthenticationDep
) -> None:
    """End one of the user's sessions at once, with its tokens and its connections."""
    await authentication.end_session(who, session_id, client)
