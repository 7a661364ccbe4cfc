"""The real nginx with the configuration of `docs/deploy.md`, on free ports and with a certificate of its own."""

import datetime
import ipaddress
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.docs.documents import DOCS, block
from tests.support.server import free_port, wait_until

NAME = "chat.example.com"
DIRECTIVES = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
{user}
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""
"""What a distribution's nginx.conf has around a site."""


def find_nginx() -> str | None:
    """Debian installs it where only root's PATH leads."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def write_certificate(folder: Path) -> None:
    """A certificate that signs itself, for the name and for this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    names = [x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


class Nginx:
    def __init__(self, folder: Path, upstream_port: int, **changes: str) -> None:
        """`changes` replace the values of directives."""
        self.folder = folder
        self.port, self.plain_port = free_port(), free_port()
        write_certificate(folder)
        site = block(DOCS / "deploy.md", "nginx", "ssl_certificate")
        site = re.sub(r"^\s*listen \[::\].*\n", "", site, flags=re.MULTILINE)
        for old, new in (
            ("listen 80;", f"listen 127.0.0.1:{self.plain_port};"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            ("/etc/letsencrypt/live/chat.example.com/", f"{folder}/"),
            ("/var/log/nginx/", f"{folder}/"),
            ("http://127.0.0.1:8000", f"http://127.0.0.1:{upstream_port}"),
        ):
            assert old in site, old
            site = site.replace(old, new)
        for directive, value in changes.items():
            site, count = re.subn(rf"\b{directive} [^;]+;", f"{directive} {value};", site)
            assert count, directive
        user = "user root;" if os.geteuid() == 0 else ""
        self._configuration = folder / "nginx.conf"
        self._configuration.write_text(DIRECTIVES.format(folder=folder, user=user, site=site))
        self.tls = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
        self.url = f"https://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return "".join(file.read_text() for file in sorted(self.folder.glob("*.log")))

    @contextmanager
    def running(self) -> Iterator[Self]:
        program = find_nginx()
        assert program is not None
        command = (
            program,
            "-p",
            str(self.folder),
            "-c",
            str(self._configuration),
            "-e",
            f"{self.folder}/error.log",
        )
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                wait_until(
                    lambda: (self.folder / "nginx.pid").exists() or process.poll() is not None, "nginx"
                )
                if process.poll() is not None:
                    raise RuntimeError(process.stderr.read() if process.stderr else "nginx exited")
                yield self
            finally:
                process.terminate()
