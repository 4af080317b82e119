"""Requirements files of a target, and those that are installed as they are now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

SERVER = "requirements.txt"
ODOO = "requirements-odoo.txt"
LOCAL = "requirements-local.txt"
DEV = "requirements-dev.txt"
INSTALLER = "requirements-installer.txt"


def wanted(target: str, *, odoo_installed: bool, odoo_conf: bool) -> tuple[str, ...]:
    """Return the requirements files of a `make` target.

    `odoo_installed`: the interpreter has an Odoo, and with it all that Odoo needs. `odoo_conf`: GATEHOUSE_ODOO_CONF
    is set, so `make serve` uses the PostgreSQL that it names; tests have one of their own all the same.
    """
    if target == "check":
        return (SERVER, DEV)
    odoo = () if odoo_installed else (ODOO,)
    local = () if target == "serve" and odoo_conf else (LOCAL,)
    dev = (DEV,) if target in ("test", "unit") else ()
    return (SERVER, *odoo, *local, *dev)


def digest(path: Path) -> str:
    """Return the hash of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def stale(names: Iterable[str], stamps: Mapping[str, str], root: Path) -> bool:
    """True if one of the files changed since it was installed, or never was."""
    return any(stamps.get(name) != digest(root / name) for name in names)


def read_stamps(path: Path) -> dict[str, str]:
    """Return the stamps written before; none where the file is missing or damaged."""
    try:
        stamps = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in stamps.items()} if isinstance(stamps, dict) else {}


def write_stamps(path: Path, stamps: Mapping[str, str]) -> None:
    """Write the stamps, whole or not at all."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(json.dumps(dict(stamps), indent=2))
    temporary.replace(path)
