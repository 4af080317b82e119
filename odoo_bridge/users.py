"""What a call needs to know of the user that executes it; Odoo remembers all of it between calls."""

from __future__ import annotations

from typing import Any

from .transaction import Environment


def own_context(root: Environment, uid: int) -> dict[str, Any]:
    """Return the user's language and time zone, as Odoo's web client would use them."""
    return dict(root(user=uid, su=False)["res.users"].context_get())


def company_ids(root: Environment, uid: int) -> tuple[int, ...]:
    """Return the companies that the user may work in."""
    return tuple(root["res.users"].browse(uid)._get_company_ids())


def installed_languages(root: Environment) -> list[str]:
    """Return the codes of the languages that are switched on, e.g. ``["en_US", "de_DE"]``."""
    return [code for code, _ in root["res.lang"].get_installed()]
