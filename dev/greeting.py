"""Greeting that `make serve` prints when it is ready."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from dev.bind import Address


def ready(address: Address) -> str:
    """Return the first lines: where the server is, and how it ends."""
    return f"\nGatehouse serves {address.url} - Ctrl-C stops it."


def demo(address: Address, database: str, cookies: Path) -> str:
    """Return the demo logins, and command lines that can be pasted."""
    login = {"jsonrpc": "2.0", "params": {"db": database, "login": "admin", "password": "admin"}}
    data, jar = shlex.quote(json.dumps(login)), shlex.quote(str(cookies))
    return f"""
Demo logins:  admin / admin  (may do everything)
              demo / demo    (an ordinary user)

To log in, and to read three partners, paste:

curl -w '\\n' -c {jar} -H 'Content-Type: application/json' -d {data} {address.url}/web/session/authenticate
curl -w '\\n' -b {jar} '{address.url}/api/partner/rest?limit=3'
"""


def odoo(address: Address, panel: str) -> str:
    """Return the addresses of Odoo's web client, and of the panel that the addon opens."""
    return f"""
Odoo serves {address.url}/web - Ctrl-C stops it. Log in with admin / admin; the first page takes a few seconds.
Settings > Gatehouse closes Odoo's own RPC and switches "Expose API" on, which opens the panel: {panel} (`make serve`).
"""
