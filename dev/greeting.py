"""Greeting that `make serve` prints when it is ready."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from dev.bind import Address


def ready(address: Address) -> str:
    """Return the first lines: where the server is, how it ends, and what a browser finds there."""
    return f"""
Gatehouse serves {address.url} - Ctrl-C stops it.

Panel:  {address.url}/admin/    to define and watch APIs
Docs:   {address.url}/api/docs  to read and try them"""


def webhooks(log: Path, networks: str) -> str:
    """Return the lines about the process that delivers webhooks; `networks` may be called beside the internet."""
    also = f", also to {networks} over http" if networks else ""
    return f"""
Webhooks are delivered by a process of their own{also}. Its log: {log}"""


def existing() -> str:
    """Return the line about logins, beside an Odoo that is the user's own."""
    return "\nLog in with a user of your Odoo; the panel wants one who may change Odoo's settings.\n"


def demo(address: Address, database: str, cookies: Path) -> str:
    """Return the demo's logins, and command lines that can be pasted."""
    login = {"jsonrpc": "2.0", "params": {"db": database, "login": "admin", "password": "admin"}}
    data, jar = shlex.quote(json.dumps(login)), shlex.quote(str(cookies))
    return f"""
Log in:  admin / admin  may do everything, also in the panel
         demo / demo    an ordinary user

To log in by a program, and to read three partners, paste:

curl -w '\\n' -c {jar} -H 'Content-Type: application/json' -d {data} {address.url}/web/session/authenticate
curl -w '\\n' -b {jar} '{address.url}/api/partner/rest?limit=3'
"""


def odoo(address: Address, panel: str) -> str:
    """Return the addresses of Odoo's web client, and of the panel that the addon opens."""
    return f"""
Odoo serves {address.url}/web - Ctrl-C stops it. Log in with admin / admin; the first page takes a few seconds.
Settings > Gatehouse closes Odoo's own RPC and switches "Expose API" on, which opens the panel: {panel} (`make serve`).
"""
