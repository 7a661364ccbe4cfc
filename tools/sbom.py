"""Write the bill of materials of the server, in CycloneDX 1.6: `make sbom`.

It lists what `requirements.lock` installs, with the digests of the files, and the scripts of `/docs` and `/redoc`. The
same tree gives the same document. Licences are those of the packages that are installed here.
"""

import base64
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from tools.docs_assets import MANIFEST

Json = dict[str, Any]

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z0-9,-]+\])?==([^\s;\\]+)(?: ; ([^\\\n]*[^\\\s]))?", re.MULTILINE)
DIGEST = re.compile(r"--hash=sha256:([0-9a-f]{64})")
MAX_LICENSE_NAME = 100
"""Some packages give the whole text for the name."""


def document(lock: str, manifest: str, pyproject: str) -> Json:
    project = tomllib.loads(pyproject)["project"]
    components = [*python_components(lock), *page_components(manifest)]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": project["name"],
                "name": project["name"],
                "version": project["version"],
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": project["name"], "dependsOn": [one["bom-ref"] for one in components]}],
    }


def python_components(lock: str) -> Iterator[Json]:
    """One for each package of a lock. A marker says where it is installed; without one it is everywhere."""
    for block in re.split(r"\n(?=[a-z])", lock)[1:]:
        pin = PIN.match(block)
        assert pin is not None, block
        name, version, marker = pin.groups()
        page = f"https://pypi.org/project/{name}/{version}/"
        yield {
            **component("pypi", name, version),
            "externalReferences": [reference(page, "SHA-256", DIGEST.findall(block))],
            **({"licenses": found} if (found := licenses(name)) else {}),
            **({"properties": [{"name": "environment marker", "value": marker}]} if marker else {}),
        }


def page_components(manifest: str) -> Iterator[Json]:
    """One for each package whose files are in the tree."""
    for package in json.loads(manifest):
        digest = base64.b64decode(package["integrity"].removeprefix("sha512-")).hex()
        changed = ", ".join(package["changed"])
        yield {
            **component("npm", package["name"], package["version"]),
            "licenses": [{"license": {"id": package["license"]}}],
            "externalReferences": [reference(package["source"], "SHA-512", [digest])],
            **({"pedigree": {"notes": f"Changed: {changed}, see tools/docs_assets.py."}} if changed else {}),
        }


def component(kind: str, name: str, version: str) -> Json:
    purl = f"pkg:{kind}/{name}@{version}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def reference(url: str, algorithm: str, digests: list[str]) -> Json:
    """Where the files are, with the digest of each."""
    hashes = [{"alg": algorithm, "content": digest} for digest in digests]
    return {"type": "distribution", "url": url, "hashes": hashes}


def licenses(name: str) -> list[Json]:
    """What an installed package says of its licence, in the best form that it has."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return []
    if "License-Expression" in about:
        return [{"expression": about["License-Expression"]}]
    classified = [
        line.split(" :: ")[-1] for line in about.get_all("Classifier", []) if line.startswith("License")
    ]
    given = str(about["License"] or "") if "License" in about else ""
    names = classified or ([given] if given and len(given) < MAX_LICENSE_NAME and "\n" not in given else [])
    return [{"license": {"name": one}} for one in names]


def main() -> None:
    files = (ROOT / "requirements.lock", MANIFEST, ROOT / "pyproject.toml")
    bill = document(*(file.read_text(encoding="utf-8") for file in files))
    json.dump(bill, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
