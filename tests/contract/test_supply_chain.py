"""The bill of materials and the audit of the packages."""

import json
import re

import pytest

from tests.support.server import ROOT
from tools import sbom
from tools.audit import verdict
from tools.docs_assets import MANIFEST

LOCK = (ROOT / "requirements.lock").read_text()


def test_the_bill_of_materials_lists_every_component() -> None:
    bill = sbom.document(LOCK, MANIFEST.read_text(), (ROOT / "pyproject.toml").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    by_purl = {one["purl"]: one for one in bill["components"]}
    assert len(by_purl) == len(bill["components"])
    assert len(by_purl) == LOCK.count("==") - len(re.findall(r" ; .*==", LOCK)) + 2
    for pages in json.loads(MANIFEST.read_text()):
        found = by_purl[f"pkg:npm/{pages['name']}@{pages['version']}"]
        assert found["licenses"] == [{"license": {"id": pages["license"]}}]
    for one in by_purl.values():
        (reference,) = one["externalReferences"]
        assert reference["hashes"], one["name"]
    assert bill["dependencies"][0]["dependsOn"] == list(by_purl)


def test_the_bill_of_materials_knows_licences_and_markers() -> None:
    components = {one["name"]: one for one in sbom.python_components(LOCK)}
    assert components["fastapi"]["licenses"] == [{"expression": "MIT"}]
    assert components["colorama"]["properties"] == [
        {"name": "environment marker", "value": "sys_platform == 'win32'"}
    ]
    licensed = [one for one in components.values() if "licenses" in one]
    assert len(licensed) > 0.9 * len(components)


def test_a_package_that_is_not_installed_has_no_licence() -> None:
    assert sbom.licenses("a-package-that-is-not-there") == []


HOLE = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"]}
CLEAN = {"name": "sound", "version": "1.0", "vulns": []}
LEAKY = {"name": "leaky", "version": "1.0", "vulns": [HOLE, HOLE | {"fix_versions": []}]}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    "packages, errors, status, said",
    [
        ([CLEAN, CLEAN], "", 0, "No known vulnerability in 2 packages."),
        ([CLEAN, UNKNOWN], "", 0, "No known vulnerability in 1 packages, 1 could not be asked for."),
        (
            [CLEAN, LEAKY],
            "",
            1,
            "leaky 1.0: PYSEC-2026-1, fixed in 2.0\nleaky 1.0: PYSEC-2026-1, fixed in none yet",
        ),
        ([UNKNOWN], "", 0, "audit skipped: the package index here has no data"),
        (None, "Traceback\nConnectionError: no route", 0, "cannot be asked (ConnectionError: no route)"),
        (None, "", 0, "cannot be asked (pip-audit said nothing)"),
    ],
)
def test_an_audit_fails_for_a_vulnerability_and_never_for_the_network(
    packages: list[object] | None, errors: str, status: int, said: str
) -> None:
    output = "" if packages is None else json.dumps({"dependencies": packages, "fixes": []})
    sentence, found = verdict(output, errors)
    assert found == status
    assert said in sentence
