"""Packages from npm that a test needs: installed below ``.local/npm`` where they are missing, never skipped."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dev import locks
from dev.paths import LOCAL
from tests.packages import program

#: The versions that the tests were made with.
VERSIONS = {
    "@hey-api/openapi-ts": "0.99.0",
    "@modelcontextprotocol/conformance": "0.2.0-alpha.12",
    "@modelcontextprotocol/inspector": "2.12.0",
    "@redocly/cli": "2.77.0",
    "@stoplight/spectral-cli": "6.16.3",
    "axe-core": "4.14.1",
    "newman": "6.2.2",
    "openapi-typescript": "7.13.0",
    "orval": "8.38.0",
    "standardwebhooks": "1.1.1",
    "typescript": "5.9.3",
}
#: What is installed in the same folder: by itself npm takes the newest, which need not be one that fits.
_BESIDE = {
    "@hey-api/openapi-ts": ["typescript@5.9.3"],
    "@modelcontextprotocol/conformance": ["node@22.23.3"],  # with less it does not start
    "openapi-typescript": ["typescript@5.9.3"],
    "orval": ["typescript@5.9.3"],
    "typescript": ["openapi-fetch@0.17.0", "@types/node@20.19.43"],
}


def command(name: str, package: str = "") -> str:
    """Return the path of a command; its package (of the same name, unless it is given) is installed first."""
    installed(package or name)
    return str(_home(package or name) / "node_modules" / ".bin" / name)


def installed(package: str) -> Path:
    """Return the folder of a package below ``node_modules``, in the version that is named here.

    Each package has a folder of its own, so that none changes what another depends on.
    """
    home = _home(package)
    wanted = [f"{package}@{VERSIONS[package]}", *_BESIDE.get(package, ())]
    # Written last: an installation that was interrupted has the package too, but not all that it needs.
    mark = home / "installed"
    with locks.alone(LOCAL / "npm.lock"):  # tests run beside each other
        if not mark.exists() or mark.read_text().split() != wanted:
            home.mkdir(parents=True, exist_ok=True)
            npm = [program("npm", "npm"), "install", "--prefix", str(home), "--no-audit", "--no-fund"]
            subprocess.run([*npm, *wanted], check=True, capture_output=True, timeout=600)
            mark.write_text(" ".join(wanted))
    return home / "node_modules" / package


def _home(package: str) -> Path:
    return LOCAL / "npm" / package.strip("@").replace("/", "-")
