"""Odoo users as whom calls are executed, by the login that an admin gives."""

from __future__ import annotations

from app.definitions.problems import Problem
from odoo_bridge import credentials
from odoo_bridge.transaction import Environment
from odoo_bridge.types import User


def executor(root: Environment, key: str, login: str) -> User | Problem:
    """Return the active user who may execute calls; where that is nobody, what is wrong with ``key``.

    Access rights and record rules don't bind the superuser, who therefore executes none.
    """
    user = credentials.user_by_login(root, login)
    if user is None or user.is_superuser:
        return Problem((key,), f"there is no active Odoo user {login!r} who may execute calls")
    return user
