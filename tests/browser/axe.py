"""axe-core, the accessibility checker: its faults that keep people from using a page."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

PACKAGE = "axe-core@4.14.1"
INSTALL = ("install", "--no-save", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
IS_LOADED = "() => typeof axe === 'object'"
RUN = """async (only) => {
  const rules = { "target-size": { enabled: true } };
  const { violations } = await axe.run(document, only.length ? { runOnly: only } : { rules });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}"""


def install(folder: Path) -> str:
    """The source of axe-core. Without npm the test is skipped, and fails in CI."""
    npm = shutil.which("npm")
    if npm is None and os.environ.get("CI"):
        pytest.fail("npm is not installed in CI")
    if npm is None:
        pytest.skip("npm is not installed (Debian: apt install npm)")
    done = subprocess.run(
        (npm, *INSTALL, "--prefix", str(folder), PACKAGE),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"npm cannot install {PACKAGE}: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def faults(page: Page, axe: str, *only: str) -> list[str]:
    """Serious and critical faults of the page as it is now, of all rules or of some. The policy of the page does not
    bind the debugger, through which the checker comes."""
    if not page.evaluate(IS_LOADED):
        page.evaluate(f"() => {{ {axe} }}")
    found: list[str] = page.evaluate(RUN, list(only))
    return found
