"""Definitions, policy and the bridge's types are plain values: they need neither Odoo, Flask nor a database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLAIN = ("app.policy", "app.definitions", "app.principal", "odoo_bridge.types")
FOREIGN = ("odoo", "flask", "werkzeug", "psycopg2", "lmdb", "sqlalchemy")
_CODE = f"""
import importlib, pkgutil, sys

for name in {PLAIN}:
    module = importlib.import_module(name)
    for each in pkgutil.walk_packages(getattr(module, "__path__", []), f"{{name}}."):
        importlib.import_module(each.name)
    print(*(f"{{name}} loads {{each}}" for each in {FOREIGN} if each in sys.modules))
"""


def test_import_loads_neither_odoo_nor_flask_nor_a_database() -> None:
    done = subprocess.run([sys.executable, "-c", _CODE], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stdout + done.stderr
