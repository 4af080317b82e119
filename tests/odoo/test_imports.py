"""What a server does not load: it stands in each worker's memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.server.conftest import ROOT


@pytest.mark.parametrize("module", ["alembic", "ruamel.yaml", "sqlalchemy"])
def test_the_server_does_not_load_what_only_commands_and_forms_need(module: str) -> None:
    program = "import sys, app.factory; print(sys.argv[1] in sys.modules, 'flask_admin' in sys.modules)"
    command = [sys.executable, "-c", program, module]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "False True\n"
