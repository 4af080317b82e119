"""Programs from Debian and packages from PyPI that a run needs: installed where they are missing."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from dev import locks, paths
from dev.errors import SetupError
from dev.steps import run, step

#: Packages that one process of the benchmarks finds and no other: neither Gatehouse nor Odoo gets what they depend on.
VERSIONS = {
    "matplotlib": ["matplotlib==3.10.9"],
    "fastapi": [
        "a2wsgi==1.10.10",
        "fastapi==0.165.0",
        "fastapi-openapi-overrides==0.1.0",
        "parse-accept-language==0.1.2",
        "pydantic==2.14.4",
        "python-multipart==0.0.34",
        "starlette==1.10.0",
        "ujson==6.1.0",
    ],
    # Without what they depend on: the packages above, and an `odoo` that PyPI does not have.
    "fastapi-addons": [
        "--no-deps",
        "odoo-addon-endpoint-route-handler==19.0.1.2.4",
        "odoo-addon-fastapi==19.0.1.2.0",
    ],
}


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


def folder(name: str) -> Path:
    """Return the folder of packages below ``.local/bench``, filled first where need be. Raises SetupError."""
    wanted = "\n".join([sys.version, *VERSIONS[name]])
    home = paths.LOCAL / "bench" / name
    done = home / "installed.txt"
    paths.LOCAL.mkdir(exist_ok=True)
    with locks.alone(paths.LOCAL / "bench.lock"):
        if not done.exists() or done.read_text() != wanted:
            shutil.rmtree(home, ignore_errors=True)
            with step(f"Installing {name} for the benchmarks"):
                pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input"]
                log = paths.LOGS / "bench-pip.log"
                run([*pip, "--target", home, *VERSIONS[name]], log=log, what=f"Installing {name}")
            done.write_text(wanted)
    return home
