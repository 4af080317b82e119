"""The units in deploy/, by systemd's own checks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packages import program
from tests.unit.test_deploy import DEPLOY, FOLLOWS, ROOT, UNITS

HOME = "Odoo under `/home`"


def _unit(folder: Path, name: str) -> Path:
    """Return the unit with the programs of this checkout: whether they can be run is part of the check."""
    unit = folder / name
    text = (DEPLOY / name).read_text()
    assert name not in UNITS or "/opt/gatehouse/.venv/bin/" in text
    text = text.replace("/opt/gatehouse/.venv/bin", str(Path(sys.executable).parent))
    unit.write_text(text.replace("/opt/gatehouse", str(ROOT)))
    return unit


def _drop_in(folder: Path, unit: Path, page: str, heading: str) -> None:
    """Add the drop-in that a page in docs/ has below a heading."""
    text = (ROOT / "docs" / f"{page}.md").read_text().split(heading)[1].split("\n## ")[0]
    (drop_in,) = re.findall(r"```ini\n(\[(?:Unit|Service)\]\n.*?)```", text, re.DOTALL)
    path = folder / f"{unit.name}.d" / "override.conf"
    path.parent.mkdir()
    path.write_text(drop_in)


def _verified(unit: Path) -> tuple[int, str]:
    command = [program("systemd-analyze", "systemd"), "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", [*UNITS, FOLLOWS])
def test_systemd_has_nothing_to_say_against_the_unit(name: str, tmp_path: Path) -> None:
    assert _verified(_unit(tmp_path, name)) == (0, "")


@pytest.mark.parametrize("name", ["gatehouse.service", "gatehouse-webhooks.service"])
def test_systemd_has_nothing_to_say_against_what_an_odoo_under_home_needs(name: str, tmp_path: Path) -> None:
    unit = _unit(tmp_path, name)
    _drop_in(tmp_path, unit, "operations", HOME)
    assert _verified(unit) == (0, "")


def test_systemd_has_nothing_to_say_against_a_reload_of_several_databases(tmp_path: Path) -> None:
    unit = _unit(tmp_path, FOLLOWS)
    _drop_in(tmp_path, unit, "several-databases", "A Gatehouse for each")
    assert _verified(unit) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_the_units_exposure_is_2_of_10_at_most(name: str, tmp_path: Path) -> None:
    command = [program("systemd-analyze", "systemd"), "security", "--offline=true", "--threshold=20"]
    done = subprocess.run([*command, str(_unit(tmp_path, name))], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
