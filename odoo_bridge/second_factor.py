"""Two-factor authentication: the code that Odoo's addon auth_totp asks for after the password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from odoo import http
from odoo.exceptions import AccessDenied

from .credentials import is_active
from .transaction import Environment

_CODE = re.compile(r"[0-9]{6}")


def takes_code(root: Environment, uid: int) -> bool:
    """True if the user's second factor is a code of an app; a code by mail is for Odoo's own login page."""
    return bool(root["res.users"].browse(uid)._mfa_type() == "totp")


def check_code(root: Environment, uid: int, code: str, *, address: str) -> bool:
    """True if the code is right, as Odoo judges it: of now, not used before, and after no more than a few wrong ones.

    Odoo counts the tries in the database: commit them, whatever the answer (auth_totp/models/res_users.py,
    _check_credentials).
    """
    code = "".join(code.split())
    if not _CODE.fullmatch(code) or not is_active(root, uid) or not takes_code(root, uid):
        return False
    user = root(user=uid, su=False)["res.users"].browse(uid)
    try:
        with _request_from(root, address):
            user._check_credentials({"type": "totp", "token": int(code)}, {"interactive": True})
            user.env.flush_all()
    except AccessDenied:
        return False
    return True


@contextmanager
def _request_from(root: Environment, address: str) -> Iterator[None]:
    """Let Odoo find the caller's address where it looks for it: it counts codes only within a request of its own."""
    request = SimpleNamespace(httprequest=SimpleNamespace(environ={"REMOTE_ADDR": address}), env=root)
    http._request_stack.push(request)
    try:
        yield
    finally:
        http._request_stack.pop()
