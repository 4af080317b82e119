"""Odoo's own virtual environment, seen from `.venv`: what Odoo and its addons need is taken from there, unchanged.

A path file in `.venv` adds Odoo's folder of packages behind those of `.venv`: Gatehouse's versions come first, and only
in Gatehouse's processes. Nothing is written into Odoo's environment.
"""

from __future__ import annotations

import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

from dev import paths

LINK = "gatehouse-odoo.pth"
#: What every Odoo needs, and hardly anything else has together.
SIGNS = ("lxml", "passlib", "psycopg2")


def running() -> Path | None:
    """Return the folder of packages of the virtual environment that this Python is of, where that is an Odoo's."""
    if sys.prefix == sys.base_prefix or Path(sys.prefix).resolve() == paths.VENV.resolve():
        return None
    return Path(sysconfig.get_path("purelib")) if all(map(find_spec, SIGNS)) else None


def sees_system_packages(packages: Path) -> bool:
    """True if the environment with that folder of packages was made with --system-site-packages."""
    for folder in packages.parents:
        if (folder / "pyvenv.cfg").is_file():
            return "include-system-site-packages = true" in (folder / "pyvenv.cfg").read_text().lower()
    return False


def linked(venv: Path) -> Path | None:
    """Return Odoo's folder of packages that the environment `venv` sees, or None."""
    for link in venv.glob(f"lib/python3*/site-packages/{LINK}"):
        return Path(link.read_text().splitlines()[0].removeprefix("# "))
    return None


def link(venv: Path, packages: Path) -> None:
    """Let the environment `venv` see a folder of packages, with the path files in it (an Odoo by `pip install -e`)."""
    for folder in venv.glob("lib/python3*/site-packages"):
        (folder / LINK).write_text(f"# {packages}\nimport site; site.addsitedir({str(packages)!r})\n")


def unlink(venv: Path) -> None:
    """Let the environment `venv` see none."""
    for path in venv.glob(f"lib/python3*/site-packages/{LINK}"):
        path.unlink()
