"""`make odoo`: Odoo's own server and web client on the demo database, with the addon for its side, until Ctrl-C."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

from dev import bind, databases, greeting, local, paths, web, web_assets
from dev.bind import Address
from dev.errors import SetupError
from dev.local import Local
from dev.steps import run, say, step
from dev.web import Program

SETTING, DEFAULT = "GATEHOUSE_ODOO_BIND", "127.0.0.1:8069"
ADDON = "gatehouse"


def main() -> None:
    """Serve until a signal asks us to end. Raises SetupError."""
    if os.environ.get("GATEHOUSE_ODOO_CONF"):
        raise SetupError(
            "GATEHOUSE_ODOO_CONF names an Odoo that is there already; `make odoo` is for the demonstration.",
            f"Start that Odoo as ever. For the addon, add {paths.BRIDGE_ADDONS} to its addons_path and install "
            f"{ADDON}. Or unset GATEHOUSE_ODOO_CONF.",
        )
    address = bind.parse(os.environ.get(SETTING) or DEFAULT, SETTING)
    panel = f"{bind.parse(os.environ.get(bind.SETTING) or bind.DEFAULT).url}/admin/"
    bind.check_free(address, SETTING, "make odoo")
    with local.prepared() as here:
        with local.alone():
            web_assets.ensure(here.source)
            install(here)
        databases.set_parameter(here.server, here.database, "gatehouse.panel_url", panel)
        serve(here, address, panel)


def install(here: Local) -> None:
    """Install the addon, or bring it up to date. Raises SetupError."""
    manifest = ast.literal_eval((paths.BRIDGE_ADDONS / ADDON / "__manifest__.py").read_text())
    found = databases.version(here.server, here.database, ADDON)
    if found == manifest["version"]:
        return
    what = f"Installing the addon {ADDON} in {here.database}"
    with step(what):
        options = ["-u" if found else "-i", ADDON, "--stop-after-init", "--no-http"]
        log = paths.LOGS / "odoo-addon.log"
        run(odoo(here, *options), log=log, what=what, todo=databases.TODO, env=databases.environment(here.source))
        databases.check(here.server, here.database, [ADDON], log)


def odoo(here: Local, *options: str) -> list[str | Path]:
    """Return a command line of Odoo's on the database."""
    return [sys.executable, "-m", "odoo", "-c", here.conf, "-d", here.database, *options]


def serve(here: Local, address: Address, panel: str) -> None:
    """Run Odoo's server until a signal asks us to end. Raises SetupError."""
    say(f"- Starting Odoo on {address} ...")
    # Without processes of its own: then the web client's WebSocket has the same port.
    options = ["--workers=0", f"--http-interface={address.host}", f"--http-port={address.port}", "--log-level=warn"]
    program = Program("Odoo", list(map(str, odoo(here, *options))), "/web/health", "odoo")
    with web.running(program, databases.environment(here.source)) as process:
        web.wait_ready(process, address, program)
        with web.until_stopped():
            say(greeting.odoo(address, panel))
            web.watch(process, program)
