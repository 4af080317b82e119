"""Command lines for the page of the docs: whole, with the server's address, so that they can be pasted."""

from __future__ import annotations

import shlex

from app.blueprints.docs.first_call import FirstCall
from app.json import dumps

#: What stands where the visitor has to put in what is theirs.
_CLIENT, _KEY, _PASSWORD = "CLIENT_ID:CLIENT_SECRET", "API_KEY", "PASSWORD"
#: Takes the token out of the answer.
_CUT_OUT = r"""sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p'"""
_BREAK = " \\\n  "


def call(base: str, first: FirstCall, *options: str) -> str:
    """Return the line of a call; ``options`` are curl's for who calls, quoted where they have to be."""
    parts = [" ".join(("curl", *options))]
    if first.method != "GET":
        parts[0] += f" -X {first.method}"
    if first.body is not None:
        parts += [_header("Content-Type", "application/json"), f"-d {shlex.quote(dumps(first.body).decode())}"]
    return _BREAK.join((*parts, shlex.quote(base + first.address)))


def with_token(base: str, first: FirstCall) -> str:
    """Return the lines of a client app: a token, and a call with it."""
    token = f"curl -s -u {_CLIENT} -X POST {shlex.quote(f'{base}/api/oauth2/token')}"
    return f"TOKEN=$({token}{_BREAK}| {_CUT_OUT})\n" + call(base, first, '-H "Authorization: Bearer $TOKEN"')


def with_key(base: str, first: FirstCall) -> str:
    """Return the line of a call with an API key of Odoo's."""
    return call(base, first, _header("Authorization", f"Bearer {_KEY}"))


def with_session(base: str, first: FirstCall, database: str, login: str) -> str:
    """Return the lines of a log-in by a program, and of a call with its session."""
    body = {"jsonrpc": "2.0", "params": {"db": database, "login": login, "password": _PASSWORD}}
    log_in = [
        f"curl -c cookies.txt {_header('Content-Type', 'application/json')}",
        f"-d {shlex.quote(dumps(body).decode())}",
        shlex.quote(f"{base}/web/session/authenticate"),
    ]
    return f"{_BREAK.join(log_in)}\n" + call(base, first, "-b cookies.txt")


def _header(name: str, value: str) -> str:
    return f"-H {shlex.quote(f'{name}: {value}')}"
