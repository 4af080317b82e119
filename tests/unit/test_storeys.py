"""The house's storeys, as pyproject.toml names them: who may import whom."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "odoo_bridge", "serving", "migrations")


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)


def test_no_import_leads_up_and_none_in_a_circle() -> None:
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("app/policy/order.py", "import app.web.cors", "each storey imports only from those below it"),
        ("odoo_bridge/models.py", "import app.config", "the packages beside the app know nothing of it"),
        ("serving/turns.py", "import odoo_bridge.boot", "the packages beside the app know nothing of it"),
        (
            "app/auth/authentication.py",
            "import odoo_bridge.fast.principals",
            "what is there for speed alone is the bridge's own matter",
        ),
        ("app/blueprints/rpc.py", "import app.blueprints.rest", "no door uses another door"),
        ("app/catalog/store.py", "import app.catalog.catalog", "no circles"),
        ("app/operations/gateway.py", "import flask", "only doors, commands and what is around them know Flask"),
        (
            "app/principal.py",
            "import odoo_bridge.introspect",
            "what takes and gives values needs no Odoo, not even by a detour",
        ),
        (
            "app/operations/versions.py",
            "import werkzeug.http",
            "only doors, commands and what is around them know Flask",
        ),
        ("app/policy/query.py", "import psycopg2", "definitions and policy are values in, values out"),
        ("odoo_bridge/structure.py", "import psycopg2", "definitions and policy are values in, values out"),
    ],
)
def test_an_import_that_breaks_a_rule_is_named(tmp_path: Path, file: str, line: str, contract: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "addons"))
    changed = tmp_path / file
    changed.write_text(f"{changed.read_text()}\n{line}\n")
    done = _lint(tmp_path)
    assert done.returncode == 1
    assert f"{contract} BROKEN" in " ".join(done.stdout.split())
    assert Path(file).stem in done.stdout
