"""The files in deploy/: systemd's own checks, and settings that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from app.config import Settings, from_environment, variable
from serving import environment_file
from tests.packages import program

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def _unit(folder: Path) -> Path:
    """Return the unit with the programs of this checkout: whether they can be run is part of the check."""
    unit = folder / "gatehouse.service"
    text = (DEPLOY / unit.name).read_text()
    assert "/opt/gatehouse/.venv/bin/" in text
    text = text.replace("/opt/gatehouse/.venv/bin", str(Path(sys.executable).parent))
    unit.write_text(text.replace("/opt/gatehouse", str(ROOT)))
    return unit


def test_systemd_has_nothing_to_say_against_the_unit(tmp_path: Path) -> None:
    command = [program("systemd-analyze", "systemd"), "verify", "--man=no", str(_unit(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_units_exposure_is_2_of_10_at_most(tmp_path: Path) -> None:
    command = [program("systemd-analyze", "systemd"), "security", "--offline=true", "--threshold=20"]
    done = subprocess.run([*command, str(_unit(tmp_path))], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_environment_file_holds_settings_that_exist_and_the_defaults_that_it_says() -> None:
    text = (DEPLOY / "gatehouse.env").read_text()
    defaults = {variable(field.name): field.default for field in fields(Settings)}
    commented = dict(re.findall(r"^#(GATEHOUSE_\w+)=(.*)$", text, re.MULTILINE))
    environ = {environment_file.VARIABLE: str(DEPLOY / "gatehouse.env")}
    environment_file.load(environ)
    assert from_environment(environ).trusted_proxies == 1
    known = {*defaults, "GATEHOUSE_ODOO_SOURCE", environment_file.VARIABLE}
    assert set(environ) | set(commented) <= known
    for name in ("GATEHOUSE_MAX_BODY_SIZE", "GATEHOUSE_STATEMENT_TIMEOUT", "GATEHOUSE_DRAIN_SECONDS"):
        assert float(commented[name]) == defaults[name]
