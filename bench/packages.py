"""Programs from Debian: installed where they are missing."""

from __future__ import annotations

import os
import shutil

from dev.errors import SetupError
from dev.steps import run


def program(name: str, package: str) -> str:
    """Return the path of a program; as root, its package is installed first where need be. Raises SetupError."""
    todo = f"Install Debian's package {package}."
    if shutil.which(name) is None and os.geteuid() == 0:
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-q"], log=None, what=f"Installing {package}", todo=todo, env=env)
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", package]
        run(install, log=None, what=f"Installing {package}", todo=todo, env=env)
    found = shutil.which(name)
    if found is None:
        raise SetupError(f"{name} is missing.", todo)
    return found
