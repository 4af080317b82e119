"""`python -m dev odoo`, which is `make odoo`; what it serves is shown in tests/integration/test_make_serve.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dev import paths


def test_beside_an_odoo_of_ones_own_the_command_says_what_to_do_instead(tmp_path: Path) -> None:
    env = {**os.environ, "GATEHOUSE_ODOO_CONF": str(tmp_path / "odoo.conf")}
    command = [sys.executable, "-m", "dev", "odoo"]
    done = subprocess.run(command, cwd=paths.ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Start that Odoo as ever" in done.stderr
    assert str(paths.BRIDGE_ADDONS) in done.stderr
