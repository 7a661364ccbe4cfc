"""Checks of the settings and of this machine, without the database."""

import os
import shutil
import stat
import sys
from pathlib import Path

from app.core.config import ENV_FILE, ConfigurationError, Settings
from app.core.misspelt import misspelt
from app.core.origins import Origin
from app.core.security import signing_key
from app.operator.backup import megabytes
from app.operator.doctor.findings import Findings, fine, harm, note
from app.operator.sqlite_file import beside
from app.services.health import MIN_FREE_BYTES

if sys.platform != "win32":
    import resource

MIN_DESCRIPTORS = 1024
GOOD_DESCRIPTORS = 65_536
"""What `docs/deploy.md` gives the service: each socket takes one."""


def key(settings: Settings) -> Findings:
    """The key that signs tokens. A missing key file is not created."""
    file = signing_key.key_file(settings)
    try:
        chosen = signing_key.configured_key(settings)
        if chosen is None and not settings.in_production and not file.exists():
            yield fine("key", f"is generated at the first start, in {file}")
            return
        used = signing_key.signing_key(settings)
        signing_key.previous_keys(settings)
    except (ConfigurationError, OSError) as error:
        yield harm("key", str(error))
        return
    if chosen is None:
        yield fine("key", f"generated, in {file}; back it up, or all logins end with it")
    elif signing_key.is_own(used):
        yield fine("key", f"{chosen.source} is your own")
    else:
        yield note("key", f"{chosen.source} is from a public document; production needs one of your own")


def file_modes(settings: Settings) -> Findings:
    """Only this user may read the database, the key and the settings."""
    database = settings.database_file
    files = [ENV_FILE, signing_key.key_file(settings)]
    files += [database, beside(database, "-wal")] if database else []
    judge = harm if settings.in_production else note
    is_fine = True
    for file in filter(Path.exists, files):
        if not os.access(file, os.R_OK | os.W_OK):
            is_fine = False
            yield harm("files", f"{file} cannot be read and written by this user; change its owner")
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and sys.platform != "win32":
            is_fine = False
            yield judge("files", f"other users of this machine can open {file}; run:  chmod 600 {file}")
    if is_fine:
        yield fine("files", "only this user can open them")


def names(_settings: Settings) -> Findings:
    """Settings that are misspelt do nothing."""
    for found in misspelt(ENV_FILE, os.environ):
        yield harm("settings", f"{found.place}: {found.name} is unknown; did you mean {found.meant}?")


def origins(settings: Settings) -> Findings:
    """The web pages that may call."""
    for entry in settings.cors_origins:
        origin = Origin.parse(entry)
        if origin is None or not origin.scheme:
            judge = harm if settings.in_production else note
            yield judge("origins", f"CORS_ORIGINS={entry} lets every web page call; name your own pages")
        elif origin.scheme == "http" and not origin.is_local and settings.in_production:
            yield harm("origins", f"CORS_ORIGINS: {entry} is not encrypted; use https")
        else:
            yield fine("origins", entry)
    if not settings.cors_origins and settings.in_production:
        yield note("origins", "CORS_ORIGINS is empty: only the server's own pages can call from a browser")


def proxy(settings: Settings) -> Findings:
    """Which proxies may tell the address of a client."""
    trusted = settings.forwarded_allow_ips
    if "*" in trusted:
        judge = harm if settings.is_exposed else note
        yield judge(
            "proxy", "FORWARDED_ALLOW_IPS=* lets every client choose its address; name the proxy's address"
        )
    elif settings.in_production:
        yield fine("proxy", f"X-Forwarded-For is taken from {', '.join(trusted) or 'no proxy'} only")
    if settings.in_production and settings.is_exposed:
        yield note("proxy", f"HOST={settings.host}: let only the proxy reach this port; it has no TLS")


def descriptors(_settings: Settings) -> Findings:
    """How many sockets fit. The limit is that of this shell; a service has its own."""
    if sys.platform == "win32":
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    advice = f"in the service, set LimitNOFILE={GOOD_DESCRIPTORS}"
    if limit < MIN_DESCRIPTORS:
        yield harm("descriptors", f"only {limit} files and sockets can be open; {advice}")
    elif limit < GOOD_DESCRIPTORS:
        yield note("descriptors", f"{limit} files and sockets can be open here; {advice}")
    else:
        yield fine("descriptors", f"{limit} files and sockets can be open")


def disk(settings: Settings) -> Findings:
    """Room for the write-ahead log, and for a backup beside the database."""
    path = settings.database_file
    if path is None or not path.parent.exists():
        return
    free = shutil.disk_usage(path.parent).free
    size = path.stat().st_size if path.exists() else 0
    shown = f"{megabytes(free)} are free in {path.parent}"
    if free < MIN_FREE_BYTES:
        yield harm("disk", f"only {shown}; the server needs {megabytes(MIN_FREE_BYTES)}")
    elif free < 2 * size:
        yield note("disk", f"{shown}; a restore needs twice the {megabytes(size)} of the database")
    else:
        yield fine("disk", shown)
