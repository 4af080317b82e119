"""Packages from npm that a test needs: installed below ``.local/npm`` where they are missing, never skipped."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from dev import locks
from dev.paths import LOCAL
from tests.packages import program

#: The versions that the tests were made with.
VERSIONS = {
    "axe-core": "4.14.1",
    "newman": "6.2.2",
}


def command(name: str, package: str = "") -> str:
    """Return the path of a command; its package (of the same name, unless it is given) is installed first."""
    return str(installed(package or name).parent.joinpath(".bin", name))


def installed(package: str) -> Path:
    """Return the folder of a package below ``node_modules``, in the version that is named here.

    Each package has a folder of its own, so that none changes what another depends on.
    """
    version = VERSIONS[package]
    home = LOCAL / "npm" / package.strip("@").replace("/", "-")
    folder = home / "node_modules" / package
    with locks.alone(LOCAL / "npm.lock"):  # tests run beside each other
        if _version(folder) != version:
            home.mkdir(parents=True, exist_ok=True)
            npm = [program("npm", "npm"), "install", "--prefix", str(home), "--no-audit", "--no-fund"]
            subprocess.run([*npm, f"{package}@{version}"], check=True, capture_output=True, timeout=600)
    return folder


def _version(folder: Path) -> str:
    try:
        return str(json.loads((folder / "package.json").read_text())["version"])
    except FileNotFoundError:
        return ""
