"""Put the files of `/docs` and `/redoc` into the tree: `python -m tools.docs_assets`, after changing a version here.

The packages come from npm and must have the digests below. `manifest.json` beside the files says where each comes from
and what its bytes are; a test holds the files against it.
"""

import base64
import hashlib
import io
import json
import sys
import tarfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "app" / "static" / "docs"
MANIFEST = FOLDER / "manifest.json"


@dataclass(frozen=True)
class Change:
    """Bytes that are replaced in a file of the package."""

    file: str
    old: bytes
    new: bytes


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    license: str
    integrity: str
    """The digest of the archive, as `npm view NAME@VERSION dist.integrity` shows it."""
    files: tuple[str, ...]
    changes: tuple[Change, ...] = ()

    @property
    def url(self) -> str:
        return f"https://registry.npmjs.org/{self.name}/-/{self.name}-{self.version}.tgz"


PACKAGES = (
    Package(
        "swagger-ui-dist",
        "5.35.0",
        "Apache-2.0",
        "sha512-U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==",
        ("LICENSE", "NOTICE", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css"),
    ),
    Package(
        "redoc",
        "2.5.4",
        "MIT",
        "sha512-M6jWhG1qoBnH6TFmzJnstyCZ87HmOY/UzDm78mHiYihEdlV/YcS9ogOo1NlElnJMeLsyxHFe2yFc4sNjHTrABQ==",
        ("LICENSE", "bundles/redoc.standalone.js", "bundles/redoc.standalone.js.LICENSE.txt"),
        # Its logo would come from another host. An empty image is left out by ReDoc itself.
        (Change("redoc.standalone.js", b"https://cdn.redoc.ly/redoc/logo-mini.svg", b"data:,"),),
    ),
)


class WrongDigest(Exception):
    """The archive of a package does not have the digest that is written here."""


def unpack(package: Package, archive: bytes) -> dict[str, bytes]:
    """The files of a package by name, with its changes. Raises WrongDigest."""
    digest = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if digest != package.integrity:
        raise WrongDigest(f"{package.name}: {digest}")
    contents = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for path in package.files:
            member = tar.extractfile(f"package/{path}")
            assert member is not None, path
            contents[Path(path).name] = member.read()
    for change in package.changes:
        assert contents[change.file].count(change.old) == 1, change
        contents[change.file] = contents[change.file].replace(change.old, change.new)
    return contents


def entry(package: Package, contents: dict[str, bytes]) -> dict[str, Any]:
    """What the manifest says about a package."""
    return {
        "name": package.name,
        "version": package.version,
        "license": package.license,
        "source": package.url,
        "integrity": package.integrity,
        "changed": sorted({change.file for change in package.changes}),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }


def main() -> None:
    entries = []
    for package in PACKAGES:
        with urllib.request.urlopen(package.url, timeout=60) as answer:  # noqa: S310 - https, from the table above
            contents = unpack(package, answer.read())
        folder = FOLDER / package.name
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        entries.append(entry(package, contents))
        print(f"{package.name} {package.version}: {len(contents)} files", file=sys.stderr)  # noqa: T201
    MANIFEST.write_text(json.dumps(entries, indent=2) + "\n")


if __name__ == "__main__":
    main()
