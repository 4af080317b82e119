"""An Odoo beside the server: a process of its own that changes what it is told to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from dev.testbed import Testbed

_SHELL = """
import json, sys
import odoo
from odoo.modules.registry import Registry
odoo.tools.config.parse_config(["-c", {conf!r}, "-d", {database!r}])
registry = Registry({database!r})
print("ready", flush=True)
for line in sys.stdin:
    with registry.cursor() as cr:
        env = odoo.api.Environment(cr, odoo.SUPERUSER_ID, {{"active_test": False}})
        found = None
        exec(json.loads(line))
        cr.commit()
    registry.signal_changes()
    print(json.dumps(found), flush=True)
"""


class OdooShell:
    """A process of Odoo's own beside the server, which does what it is told, commits and signals."""

    def __init__(self, testbed: Testbed, database: str, log: Path) -> None:
        script = _SHELL.format(conf=str(testbed.odoo_conf), database=database)
        path = {"PYTHONPATH": str(testbed.odoo_source)} if testbed.odoo_source else {}
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", script],
                env={**os.environ, **path},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._log = log
        self._answer()

    def do(self, statement: str) -> Any:
        """Run a statement with ``env``; return what it leaves in ``found``."""
        assert self._process.stdin is not None
        print(json.dumps(statement), file=self._process.stdin, flush=True)
        return json.loads(self._answer())

    def end(self) -> None:
        """End the process."""
        with self._process:  # which closes its pipes, so that it ends
            pass

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._log.read_text()[-3000:]
        return line
