"""The files in deploy/: systemd's own checks, and settings that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from app.config import Settings, from_environment, variable
from serving import environment_file
from tests.packages import program

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


UNITS = ("gatehouse.service", "gatehouse@.service")
HOME = "Odoo under `/home`"


def _unit(folder: Path, name: str) -> Path:
    """Return the unit with the programs of this checkout: whether they can be run is part of the check."""
    unit = folder / name
    text = (DEPLOY / name).read_text()
    assert name not in UNITS or "/opt/gatehouse/.venv/bin/" in text
    text = text.replace("/opt/gatehouse/.venv/bin", str(Path(sys.executable).parent))
    unit.write_text(text.replace("/opt/gatehouse", str(ROOT)))
    return unit


def _for_home(folder: Path, unit: Path) -> None:
    """Add the drop-in that docs/operations.md has for an Odoo under /home."""
    text = (ROOT / "docs" / "operations.md").read_text()
    (drop_in,) = re.findall(r"```ini\n(\[Service\]\n.*?)```", text.split(HOME)[1], re.DOTALL)
    path = folder / f"{unit.name}.d" / "override.conf"
    path.parent.mkdir()
    path.write_text(drop_in)


def _verified(unit: Path) -> tuple[int, str]:
    command = [program("systemd-analyze", "systemd"), "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", [*UNITS, "gatehouse-follows-odoo.service"])
def test_systemd_has_nothing_to_say_against_the_unit(name: str, tmp_path: Path) -> None:
    assert _verified(_unit(tmp_path, name)) == (0, "")


def test_systemd_has_nothing_to_say_against_what_an_odoo_under_home_needs(tmp_path: Path) -> None:
    unit = _unit(tmp_path, "gatehouse.service")
    _for_home(tmp_path, unit)
    assert _verified(unit) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_the_units_exposure_is_2_of_10_at_most(name: str, tmp_path: Path) -> None:
    command = [program("systemd-analyze", "systemd"), "security", "--offline=true", "--threshold=20"]
    done = subprocess.run([*command, str(_unit(tmp_path, name))], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_unit_of_several_databases_differs_by_the_name_alone() -> None:
    one, many = ((DEPLOY / name).read_text().partition("[Unit]")[2].splitlines() for name in UNITS)
    different = [(old, new) for old, new in zip(one, many, strict=True) if old != new]
    assert [new.partition("=")[0] for _, new in different] == ["Description", "Documentation", "Environment"]
    assert different[2][1] == different[2][0].replace("gatehouse.env", "%i.env")


@pytest.mark.parametrize("name", UNITS)
def test_a_stop_of_the_unit_leaves_calls_in_flight_their_time(name: str) -> None:
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", (DEPLOY / name).read_text(), re.MULTILINE)
    defaults = Settings(odoo_conf=Path("x"))
    assert int(seconds) > defaults.drain_seconds + max(defaults.call_timeout, defaults.statement_timeout) + 15


def test_nginx_waits_longer_than_a_call_may_take() -> None:
    (location,) = re.findall(
        r"location ~ \^/\(api\|admin\).*?\n    }\n", (DEPLOY / "nginx.conf").read_text(), re.DOTALL
    )
    (seconds,) = re.findall(r"proxy_read_timeout +(\d+)s;", location)
    assert int(seconds) > Settings(odoo_conf=Path("x")).call_timeout


def test_the_environment_file_holds_settings_that_exist_and_the_defaults_that_it_says() -> None:
    text = (DEPLOY / "gatehouse.env").read_text()
    defaults = {variable(field.name): field.default for field in fields(Settings)}
    commented = dict(re.findall(r"^#(GATEHOUSE_\w+)=(.*)$", text, re.MULTILINE))
    environ = {environment_file.VARIABLE: str(DEPLOY / "gatehouse.env")}
    environment_file.load(environ)
    assert from_environment(environ).trusted_proxies == 1
    known = {*defaults, "GATEHOUSE_ODOO_SOURCE", environment_file.VARIABLE}
    assert set(environ) | set(commented) <= known
    for name in ("max_body_size", "statement_timeout", "call_timeout", "drain_seconds"):
        assert float(commented[variable(name)]) == defaults[variable(name)]
