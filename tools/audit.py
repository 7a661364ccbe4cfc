"""Compare `requirements.lock` with the known vulnerabilities of its packages: `make audit`.

Fails if there is one. If the database cannot be asked, it says so and succeeds: a build must not depend on the network
of another site.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PIP_AUDIT = "pip-audit==2.10.1"
TIMEOUT_SECONDS = 300


def verdict(output: str, errors: str) -> tuple[str, int]:
    """A sentence, and the exit status, for what pip-audit wrote."""
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        reason = (errors.strip().splitlines() or ["pip-audit said nothing"])[-1]
        return f"audit skipped: the vulnerability database cannot be asked ({reason[:200]})", 0
    asked = [package for package in packages if "skip_reason" not in package]
    if not asked:
        return "audit skipped: the package index here has no data on vulnerabilities", 0
    found = [line(package, hole) for package in asked for hole in package["vulns"]]
    if found:
        return "\n".join(["Known vulnerabilities in requirements.lock:", *found]), 1
    left_out = f", {len(packages) - len(asked)} could not be asked for" if len(asked) < len(packages) else ""
    return f"No known vulnerability in {len(asked)} packages{left_out}.", 0


def line(package: dict[str, Any], hole: dict[str, Any]) -> str:
    fixed = ", ".join(hole["fix_versions"]) or "none yet"
    return f"{package['name']} {package['version']}: {hole['id']}, fixed in {fixed}"


def main() -> int:
    uv = Path(sys.executable).with_name("uv")
    options = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json")
    try:
        done = subprocess.run(  # noqa: S603 - a pinned tool with fixed arguments
            (uv, "tool", "run", "--quiet", PIP_AUDIT, *options, "--requirement", ROOT / "requirements.lock"),
            check=False,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
        sentence, status = verdict(done.stdout, done.stderr)
    except (OSError, subprocess.TimeoutExpired) as error:
        sentence, status = verdict("", str(error))
    print(sentence)  # noqa: T201
    return status


if __name__ == "__main__":
    sys.exit(main())
