"""The house's storeys, as pyproject.toml names them: who may import whom."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "odoo_bridge", "serving", "migrations")
DOWN = "each storey imports only from those below it"
BESIDE = "the packages beside the app know nothing of it"
SPEED = "what is there for speed alone is the bridge's own matter"
FLASK = "only doors, commands and what is around them know Flask"
DETOUR = "what takes and gives values needs no Odoo, not even by a detour"
VALUES = "definitions and policy are values in, values out"
#: Modules, what each of them must not import, and the rule that says so.
WRONG = [
    ("app.policy.order", "app.web.cors", DOWN),
    ("odoo_bridge.models", "app.config", BESIDE),
    ("serving.turns", "odoo_bridge.boot", BESIDE),
    ("app.auth.authentication", "odoo_bridge.fast.principals", SPEED),
    ("app.blueprints.rpc", "app.blueprints.rest", "no door uses another door"),
    ("app.catalog.store", "app.catalog.catalog", "no circles"),
    ("app.operations.gateway", "flask", FLASK),
    ("app.principal", "odoo_bridge.introspect", DETOUR),
    ("app.operations.versions", "werkzeug.http", FLASK),
    ("app.policy.query", "psycopg2", VALUES),
    ("odoo_bridge.structure", "psycopg2", VALUES),
]


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)


def test_no_import_leads_up_and_none_in_a_circle() -> None:
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said of a copy in which all these imports are."""
    root = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", root)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__", "addons"))
    for module, wrong, _ in WRONG:
        with (root / f"{module.replace('.', '/')}.py").open("a") as file:
            file.write(f"\nimport {wrong}\n")
    done = _lint(root)
    assert done.returncode == 1
    return done.stdout


@pytest.mark.parametrize(("module", "wrong", "contract"), WRONG)
def test_an_import_that_breaks_a_rule_is_named(broken: str, module: str, wrong: str, contract: str) -> None:
    assert f"\n{contract} BROKEN\n" in broken
    said = broken.partition(f"\n{contract}\n---")[2].partition("\n---")[0]
    foreign = wrong if wrong.startswith(PACKAGES) else wrong.partition(".")[0]
    siblings = f".{module.rpartition('.')[2]} -> .{wrong.rpartition('.')[2]} ("  # as a circle is told
    assert f"{module} -> {foreign} (" in said or siblings in said
