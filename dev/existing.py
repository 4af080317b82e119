"""An Odoo that is already there: GATEHOUSE_ODOO_CONF names its configuration file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dev import odoo_source
from dev.errors import SetupError


def settings(*pythons: Path) -> dict[str, str]:
    """Return GATEHOUSE_ODOO_CONF and GATEHOUSE_ODOO_SOURCE, checked and as whole paths. Raises SetupError.

    `pythons`: one of them has to have Odoo installed where no source is named. Default: the one that runs.
    """
    conf = Path(os.environ["GATEHOUSE_ODOO_CONF"]).expanduser().resolve()
    if not conf.is_file():
        raise SetupError(
            f"GATEHOUSE_ODOO_CONF={conf}: there is no such file.",
            "Name the configuration file of your Odoo, or unset it for the demonstration.",
        )
    found = {"GATEHOUSE_ODOO_CONF": str(conf)}
    if named := os.environ.get("GATEHOUSE_ODOO_SOURCE"):
        return {**found, "GATEHOUSE_ODOO_SOURCE": str(odoo_source.at(Path(named), "GATEHOUSE_ODOO_SOURCE").path)}
    candidates = pythons or (Path(sys.executable),)
    if not any(odoo_source.importable(python) for python in candidates):
        folder = odoo_source.of_addons_path(conf)
        hint = f" As addons_path in {conf} has it: GATEHOUSE_ODOO_SOURCE={folder}" if folder else ""
        raise SetupError(
            f"GATEHOUSE_ODOO_CONF is set, but {candidates[0]} cannot import odoo.",
            f"Set GATEHOUSE_ODOO_SOURCE to the folder with that Odoo's source (it holds odoo/release.py).{hint}\n"
            "If Odoo is installed for another Python, name that one:  make serve PYTHON=<that Python>",
        )
    return found
