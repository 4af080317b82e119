"""Facts about the user that executes a call; Odoo remembers all of it between calls."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from odoo.api import SUPERUSER_ID
from odoo.tools import ormcache

from .transaction import Environment


def is_administrator(root: Environment, uid: int) -> bool:
    """True if the user may change Odoo's settings (group Settings, ``base.group_system``)."""
    return bool(root["res.users"].browse(uid).has_group("base.group_system"))


def matching(root: Environment, text: str, limit: int = 20) -> list[tuple[str, str]]:
    """Return (login, name) of active users whose login or name holds the text; never the superuser."""
    domain = ["|", ("login", "ilike", text), ("name", "ilike", text), ("id", "!=", SUPERUSER_ID)]
    found = root["res.users"].search(domain, limit=limit, order="login")
    return [(user.login, user.name) for user in found]


def logins(root: Environment, uids: Collection[int]) -> dict[int, str]:
    """Return the logins of users, also of those who are switched off; those that are gone are left out."""
    root.cr.execute("SELECT id, login FROM res_users WHERE id = ANY(%s)", (list(uids),))
    return dict(root.cr.fetchall())


def own_context(root: Environment, uid: int) -> Mapping[str, Any]:
    """Return the user's language and time zone, as Odoo's web client would use them."""
    found: Mapping[str, Any] = _own_context(root["res.users"], uid)
    return found


@ormcache("uid")  # type: ignore[untyped-decorator]  # emptied together with the one that Odoo's own method has
def _own_context(self: Any, uid: int) -> Any:
    """Asked with ``uid``, and not as them: what each call asks needs no environment of its own."""
    return self.env(user=uid, su=False)["res.users"].context_get()


def company_ids(root: Environment, uid: int) -> tuple[int, ...]:
    """Return the companies that the user may work in."""
    return tuple(root["res.users"].browse(uid)._get_company_ids())


def installed_languages(root: Environment) -> list[str]:
    """Return the codes of the languages that are switched on, e.g. ``["en_US", "de_DE"]``."""
    return [code for code, _ in root["res.lang"].get_installed()]
