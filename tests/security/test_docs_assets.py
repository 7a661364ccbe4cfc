"""The files of `/docs` and `/redoc` are those that their packages published, and nothing else."""

import base64
import dataclasses
import hashlib
import io
import json
import tarfile

import pytest

from tests.support.server import ROOT
from tools import docs_assets
from tools.docs_assets import FOLDER, MANIFEST, PACKAGES, Change, Package, WrongDigest, entry, unpack

ENTRIES = json.loads(MANIFEST.read_text())


def archive_of(**files: bytes) -> bytes:
    """A package as npm serves it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def test_every_file_has_the_checksum_of_the_manifest() -> None:
    listed = {f"{one['name']}/{name}": digest for one in ENTRIES for name, digest in one["sha256"].items()}
    found = {
        file.relative_to(FOLDER).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in FOLDER.rglob("*")
        if file.is_file() and file != MANIFEST
    }
    assert found == listed


def test_the_manifest_names_version_licence_and_source_of_each_package() -> None:
    assert len(ENTRIES) == len(PACKAGES)
    for package, one in zip(PACKAGES, ENTRIES, strict=True):
        assert one == entry(package, {}) | {"sha256": one["sha256"]}, "run python -m tools.docs_assets"
        assert "LICENSE" in one["sha256"]
    assert [one["license"] for one in ENTRIES] == ["Apache-2.0", "MIT"]
    assert "Apache License" in (FOLDER / "swagger-ui-dist" / "LICENSE").read_text()
    assert "MIT License" in (FOLDER / "redoc" / "LICENSE").read_text()


def test_a_version_written_in_a_file_is_that_of_the_manifest() -> None:
    """A file that was replaced together with its checksum would still tell its own version."""
    bundle = (FOLDER / "swagger-ui-dist" / "swagger-ui-bundle.js").read_text()
    assert f'PACKAGE_VERSION:"{ENTRIES[0]["version"]}"' in bundle
    redoc = (FOLDER / "redoc" / "redoc.standalone.js").read_text()
    assert ENTRIES[1]["version"] in redoc


def test_the_logo_of_another_host_is_replaced_and_nothing_else() -> None:
    """With the change undone, the file is the one of the package (npm's archive was checked when it was fetched)."""
    (change,) = PACKAGES[1].changes
    content = (FOLDER / "redoc" / change.file).read_bytes()
    assert change.old not in content
    assert content.count(b'src:"' + change.new + b'"') == 1
    original = content.replace(b'src:"' + change.new + b'"', b'src:"' + change.old + b'"')
    assert hashlib.sha256(original).hexdigest() == (
        "dcaf76612bc4a3fbcc923a8966dee2f6146a5f32e5ce1b6f02dd60cbbf89500b"
    )


def test_an_archive_with_another_digest_is_refused() -> None:
    archive = archive_of(LICENSE=b"free", **{"page.js": b"load('//cdn')"})
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    package = Package(
        "page", "1.0", "MIT", f"sha512-{digest}", ("page.js",), (Change("page.js", b"//cdn", b"/"),)
    )
    assert unpack(package, archive) == {"page.js": b"load('/')"}
    with pytest.raises(WrongDigest):
        unpack(package, archive_of(LICENSE=b"free", **{"page.js": b"load('//mine')"}))
    with pytest.raises(AssertionError):
        unpack(dataclasses.replace(package, changes=(Change("page.js", b"gone", b""),)), archive)


def test_no_package_at_run_time_brings_these_files() -> None:
    assert docs_assets.FOLDER == ROOT / "app" / "static" / "docs"
    assert "offline" not in (ROOT / "requirements.txt").read_text()
