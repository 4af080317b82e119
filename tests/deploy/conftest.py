"""The machine after the walk through docs/operations.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy import machine as machines
from tests.deploy.machine import Machine
from tests.pages import blocks
from tests.server.conftest import wait_until


@dataclass
class Walk:
    """The machine after step 9, what each step printed, and what was seen on the way."""

    machine: Machine
    steps: list[str]
    printed: list[str]
    odoos_files: dict[Path, float]
    collision: str


def files(folder: Path) -> dict[Path, float]:
    """Return the files that pip could change, with the time of their last change."""
    return {path: path.stat().st_mtime for path in folder.rglob("*") if path.suffix != ".pyc" and path.is_file()}


@pytest.fixture(scope="package")
def walk() -> Iterator[Walk]:
    with machines.running() as machine:
        steps = [machine.own(block) for block in blocks("operations", "sh", "Ten steps")]
        assert len(steps) == 10
        steps[0] = steps[0].replace("ADDRESS", str(machine.root / "address"))
        odoos_files = files(machine.root / "opt" / "odoo" / "venv")
        collision, printed = "", []
        machine.sh("systemctl start nginx odoo", cwd="")
        for number, step in enumerate(steps[:9], 1):
            if number == 4:
                _edit_odoo_conf(machine)
            if number == 7:
                # What happens where the default site stays.
                before, _, after = step.partition("rm -f")
                collision = machine.sh(before + "nginx -t", check=False).stderr
                step = f"rm -f{after}"
            printed.append(machine.sh(step, cwd="opt" if number == 1 else "opt/gatehouse").stdout)
        wait_for_site(machine)
        yield Walk(machine, steps, printed, odoos_files, collision)


def _edit_odoo_conf(machine: Machine) -> None:
    (lines,) = blocks("operations", "ini", "Ten steps")
    with (machine.root / "etc" / "odoo" / "odoo.conf").open("a") as file:
        file.write(machine.own(lines))


def wait_for_site(machine: Machine) -> None:
    """Wait for Odoo, which says to nobody when it is ready."""
    log = machine.root / "var" / "log" / "odoo.log"
    wait_until(lambda: '"pass"' in machine.curl("/web/health"), 180, lambda: log.read_text()[-3000:])
