"""Definitions, policy and the bridge's types are plain values: they need neither Odoo, Flask nor a database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = ("odoo", "flask", "werkzeug", "psycopg2", "lmdb", "sqlalchemy")
_CODE = """
import importlib, pkgutil, sys

module = importlib.import_module(sys.argv[1])
for each in pkgutil.walk_packages(getattr(module, "__path__", []), f"{module.__name__}."):
    importlib.import_module(each.name)
print(*(name for name in sys.argv[2:] if name in sys.modules))
"""


@pytest.mark.parametrize("name", ["app.policy", "app.definitions", "app.principal", "odoo_bridge.types"])
def test_import_loads_neither_odoo_nor_flask_nor_a_database(name: str) -> None:
    command = [sys.executable, "-c", _CODE, name, *FOREIGN]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr
