"""Every setting, with its type and its default. `.env.example` adds the reasons.

Settings come from the environment or from `.env`; the three variables of the README are a complete file.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL

from app.core import addresses, database_url, env_file, origins
from app.core.addresses import is_loopback
from app.core.origins import Origin

Count = Annotated[int, Field(ge=0)]
"""A limit; 0 means no limit."""

ENV_FILE = Path(".env")
"""In the working directory, where `run.py` and the tools of Python's servers look too."""


class ConfigurationError(Exception):
    """A configuration that the server cannot start with. The text is one line for the operator."""


class Settings(BaseSettings):
    """The settings. `.env.example` lists the same names with the same defaults; a test compares them."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, env_file_encoding=env_file.ENCODING, extra="ignore", env_ignore_empty=True
    )

    environment: Literal["development", "production", "test"] = "development"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000

    database_url: str = "sqlite:///./chat.db"
    database_pool_size: PositiveInt = 5

    secret_key: str | None = None
    secret_key_file: Path | None = None
    secret_key_previous: str | None = None
    access_token_expire_minutes: PositiveInt = 1440
    refresh_token_expire_days: PositiveInt = 30
    session_max_days: PositiveInt = 180
    sample_data: bool | None = None

    root_path: str = ""
    pages: Literal["none", "docs", "all"] | None = None

    forwarded_allow_ips: Annotated[list[str], NoDecode] = ["127.0.0.1", "::1"]
    cors_origins: Annotated[list[str], NoDecode] = []
    cors_credentials: bool = False

    max_body_bytes: PositiveInt = 131_072
    max_frame_bytes: PositiveInt = 131_072
    max_send_buffer_bytes: PositiveInt = 1_048_576
    socket_send_buffer_bytes: PositiveInt = 131_072
    ping_interval_seconds: PositiveFloat = 20.0
    shutdown_seconds: PositiveFloat = 8.0
    reconnect_spread_per_second: PositiveInt = 500

    commands_per_second: Count = 50
    command_burst: PositiveInt = 200
    sockets_per_user: Count = 50
    sockets_per_address: Count = 500
    connections_per_address: Count = 500
    rooms_per_socket: PositiveInt = 1000
    logins_per_minute: Count = 10
    logins_per_address: Count = 600
    signups_per_address: Count = 100
    password_queue: Count = 200
    messages_per_day: Count = 1_000_000
    text_bytes_per_day: Count = 268_435_456
    rooms_per_day: Count = 1000
    min_free_disk_bytes: Count = 67_108_864
    catch_up_limit: PositiveInt = 1000

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json"] = "auto"

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _read_origins(cls, value: object) -> object:
        """Read a comma-separated list."""
        return origins.read_list(value) if isinstance(value, str) else value

    @field_validator("root_path")
    @classmethod
    def _check_root_path(cls, value: str) -> str:
        """Drop a slash at the end."""
        path = value.rstrip("/")
        if not re.fullmatch(r"(/[\w.~-]+)*", path, re.ASCII):
            raise ValueError("a path such as /chat is expected")
        return path

    @field_validator("forwarded_allow_ips", mode="before")
    @classmethod
    def _read_networks(cls, value: object) -> object:
        """Read a comma-separated list."""
        return addresses.read_networks(value) if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        database_url.parse(value)
        return value

    @model_validator(mode="after")
    def _check_cors_credentials(self) -> Self:
        anyone = next((origin for origin in ("*", "null") if origin in self.cors_origins), None)
        if anyone and self.cors_credentials:
            raise ValueError(
                f"CORS_ORIGINS={anyone} with CORS_CREDENTIALS=true would give every web page access to every account"
            )
        return self

    @property
    def in_production(self) -> bool:
        return self.environment == "production"

    @property
    def is_exposed(self) -> bool:
        """Whether other machines can reach the server. A `--host` given to uvicorn is known once that runs."""
        return not is_loopback(self.host)

    @property
    def with_samples(self) -> bool:
        """Whether to create sample accounts. Their passwords are public: production never has them, whatever
        SAMPLE_DATA says."""
        return not self.in_production and (self.sample_data is not False)

    @property
    def open_pages(self) -> Literal["none", "docs", "all"]:
        """Which pages for people are served: in production none, unless PAGES says so."""
        return self.pages or ("none" if self.in_production else "all")

    def allows_origin(self, origin: Origin) -> bool:
        """Whether pages from this origin may call the server from a browser. In development, every page that this
        machine serves may."""
        if "*" in self.cors_origins or str(origin) in self.cors_origins:
            return True
        return origin.is_local and not self.in_production

    @property
    def database_file(self) -> Path | None:
        """The file of SQLite; None for a server, and for a database in memory."""
        url = self.url
        is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
        return Path(str(url.database)) if is_file else None

    @property
    def url(self) -> URL:
        """`DATABASE_URL` with the driver that this project ships, so that `postgresql://…` is enough."""
        return database_url.parse(self.database_url)


@lru_cache
def get_settings() -> Settings:
    """The settings of this process. Raises ValidationError, and ConfigurationError for a `.env` that cannot be read."""
    if wrong := env_file.complaint(ENV_FILE, Settings.model_fields):
        raise ConfigurationError(wrong)
    return Settings()
