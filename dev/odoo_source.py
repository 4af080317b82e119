"""Odoo's source: the folder that is named, an `odoo` that is installed, or Debian's package unpacked."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from dev import apt, command, locks, paths, signals
from dev.errors import SetupError
from dev.steps import step

PACKAGE, SUITE = "odoo-19", "sid"
FETCHING = f"Fetching Odoo's source (Debian package {PACKAGE}, 120 MB)"
UNPACKED = Path("usr/lib/python3/dist-packages")
TODO = (
    "Set GATEHOUSE_ODOO_SOURCE to a folder with the source of Odoo 19: a checkout, or an unpacked release "
    "(the folder that holds odoo/release.py)."
)


@dataclass(frozen=True)
class OdooSource:
    """Place of Odoo: `path` goes on sys.path, or is None when the interpreter finds `odoo` by itself.

    `package` is the folder of the Python package `odoo`; `addons` are the folders of Odoo's own addons.
    """

    path: Path | None
    package: Path

    @property
    def addons(self) -> tuple[Path, ...]:
        """The folders of addons: the package's own, and the one beside it where that has `web` (a checkout)."""
        own, beside = self.package / "addons", self.package.parent / "addons"
        # Debian's package has a folder beside it too, but only a part of the files: its own folder is whole.
        return (own,) if (own / "web" / "__manifest__.py").is_file() else (own, beside)

    @property
    def version(self) -> str:
        """The text that changes when the source does: the release file's content and its folder."""
        return f"{self.package}\n{(self.package / 'release.py').read_text()}"


def at(folder: Path, name: str) -> OdooSource:
    """Return the source in `folder`; `name` says in the error where the folder was named."""
    folder = folder.expanduser().resolve()
    for candidate in (folder, folder / UNPACKED):
        if (candidate / "odoo" / "release.py").is_file():
            source = OdooSource(candidate, candidate / "odoo")
            if any((addons / "web" / "__manifest__.py").is_file() for addons in source.addons):
                return source
            raise SetupError(f"{name}={folder} has Odoo's package, but not its addons (no addons/web).", TODO)
    raise SetupError(f"{name}={folder} is not Odoo's source: there is no odoo/release.py in it.", TODO)


def of_addons_path(conf: Path) -> Path | None:
    """Return the folder with Odoo's source that `addons_path` in an odoo.conf points into, or None."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(conf)
        text = parser.get("options", "addons_path", fallback="")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return None
    for name in filter(None, (part.strip() for part in text.split(","))):
        # addons of a checkout, and the package's own.
        for folder in list(Path(name).parents)[:2]:
            if (folder / "odoo" / "release.py").is_file():
                return folder
    return None


def importable(python: Path | str = sys.executable, *options: str) -> OdooSource | None:
    """Return the Odoo that the interpreter, started with `options`, can import by itself, or None."""
    script = "import importlib.util as u; s = u.find_spec('odoo.release'); print(s.origin if s else '')"
    # From the root folder, so that a folder `odoo` in the current one does not count.
    try:
        result = subprocess.run([python, *options, "-c", script], capture_output=True, text=True, cwd="/", check=False)
    except OSError:  # one that does not run has no Odoo
        return None
    origin = result.stdout.strip()
    return OdooSource(None, Path(origin).parent) if result.returncode == 0 and origin else None


def installed(python: Path | str) -> bool:
    """True if an Odoo, and with it all that it needs, is installed for a Python.

    One that only PYTHONPATH brings does not count: what it needs may be missing.
    """
    return importable(python, "-E") is not None


def present() -> OdooSource | None:
    """Return Odoo's source if it is there already; nothing is fetched. Raises SetupError for a wrong setting."""
    if named := os.environ.get("GATEHOUSE_ODOO_SOURCE"):
        return at(Path(named), "GATEHOUSE_ODOO_SOURCE")
    if found := importable():
        return found
    return at(paths.LOCAL / "odoo", "The folder") if fetched() else None


def fetched() -> bool:
    """True if the source has been fetched before."""
    return (paths.LOCAL / "odoo" / UNPACKED / "odoo").is_dir()


def wanting(*pythons: Path) -> bool:
    """True if the source will have to be fetched, where these Pythons can't import Odoo by themselves."""
    if os.environ.get("GATEHOUSE_ODOO_SOURCE") or fetched():
        return False
    return not any(map(importable, pythons))


def ensure() -> OdooSource:
    """Return Odoo's source, fetched if need be. Raises SetupError."""
    if source := present():
        return source
    with step(FETCHING):
        paths.LOCAL.mkdir(exist_ok=True)
        apt.fetch([PACKAGE], SUITE, paths.LOCAL / "odoo", log=paths.LOGS / "odoo-source.log", todo=TODO)
    return at(paths.LOCAL / "odoo", "The folder")


def main() -> None:
    """Fetch the source beside the process that makes `.venv`, unless it is there, and end with that process."""
    signals.end_with_parent()
    with locks.preparing():
        ensure()


if __name__ == "__main__":
    sys.exit(command.run(main))
