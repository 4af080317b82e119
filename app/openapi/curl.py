"""Command lines of curl: whole, so that they can be pasted. Where a secret has to stand, its name stands."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

#: Names of secrets.
CLIENT_ID, SECRET, KEY, PASSWORD = "YOUR_CLIENT_ID", "YOUR_CLIENT_SECRET", "YOUR_API_KEY", "YOUR_PASSWORD"
#: A body of more characters stands in a file of its own.
LONGEST = 5_000
BODY_FILE = "body.json"
#: Where the session stays.
JAR = "cookies.txt"
#: Options for who calls: what ``token`` leaves in the shell, an API key of Odoo's, and what ``log_in`` leaves.
AS_CLIENT = '-H "Authorization: Bearer $TOKEN"'
BY_KEY = f"-H 'Authorization: Bearer {KEY}'"
BY_SESSION = f"-b {JAR} -c {JAR}"
_BREAK = " \\\n  "


def call(
    method: str, url: str, credentials: str = "", headers: Mapping[str, str] | None = None, body: str | None = None
) -> str:
    """Return the command of a call; ``credentials`` are one of the options above, or none."""
    parts = ["curl"] if method == "GET" else [f"curl -X {method}"]
    parts += [credentials] if credentials else []
    parts += [_header(name, value) for name, value in (headers or {}).items()]
    if body is not None:
        parts.append(f"--data-binary @{BODY_FILE}" if len(body) > LONGEST else f"--data-raw {shlex.quote(body)}")
    return _BREAK.join([*parts, shlex.quote(url)])


def token(base: str, client_id: str = CLIENT_ID, secret: str = SECRET) -> str:
    """Return the command that gets a token and puts it into the shell's variable TOKEN."""
    who, address = shlex.quote(f"{client_id}:{secret}"), shlex.quote(f"{base}/api/oauth2/token")
    cut_out = r"""sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p'"""
    return f"TOKEN=$(curl -s -u {who} -X POST {address}{_BREAK}| {cut_out})"


def log_in(base: str, database: str, login: str) -> str:
    """Return the command that logs a person in, and keeps the session in a file."""
    params = {"db": database, "login": login, "password": PASSWORD}
    body = json.dumps({"jsonrpc": "2.0", "params": params}, ensure_ascii=False)
    return _BREAK.join(
        [
            f"curl -c {JAR}",
            _header("Content-Type", "application/json"),
            f"--data-raw {shlex.quote(body)}",
            shlex.quote(f"{base}/web/session/authenticate"),
        ]
    )


def _header(name: str, value: str) -> str:
    return f"-H {shlex.quote(f'{name}: {value}')}"
