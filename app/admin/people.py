"""Callers and users in a person's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.admin import transactions
from odoo_bridge import credentials, users

_USER = re.compile(r"user:(\d+)|client:\d+:(\d+)")


def named(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of the log or the audit with ``who``, their caller by name, and ``as_user``, the user that acted."""
    found = [dict(row) for row in rows]
    uids = {uid for row in found for uid in (row["uid"], _person(row["caller"])) if uid}
    logins = transactions.look(lambda root: users.logins(root, uids)) if uids else {}
    for row in found:
        person = _person(row["caller"])
        login = logins.get(person, f"user {person}") if person else None
        row["who"] = " for ".join(filter(None, (row["client"], login))) or ("anybody" if row["caller"] else "unknown")
        row["as_user"] = logins.get(row["uid"], "")
    return found


def uid_of(login: str) -> int | None:
    """Return the Odoo user with this login, switched off or not."""
    if not login:
        return None
    user = transactions.look(lambda root: credentials.user_by_login(root, login, active_test=False))
    return user.uid if user else None


def _person(caller: str | None) -> int | None:
    match = _USER.fullmatch(caller or "")
    return int(match[1] or match[2]) if match else None
