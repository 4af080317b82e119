"""Programs from Debian that a test needs: installed where they are missing, never skipped."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from dev import locks, paths


def program(name: str, package: str) -> str:
    """Return the path of a program; as root, its package is installed first where need be."""
    if shutil.which(name) is None and os.geteuid() == 0:
        install(package)
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing: install Debian's package {package}.")
    return found


def install(package: str) -> None:
    """Install a package, as root."""
    with locks.alone(paths.LOCAL / "apt.lock"):  # tests run beside each other, and apt waits for nobody
        _install(package)


def _install(package: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", package],
    ):
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=600)
