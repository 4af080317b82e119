"""Callers and users in a person's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.analytics.callers import Caller, read
from app.blueprints.admin import transactions
from odoo_bridge import credentials, users


def named(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of the log or the audit with ``who``, their caller by name, and ``as_user``, the user that acted."""
    found = [dict(row) for row in rows]
    callers = [read(row["caller"]) for row in found]
    uids = {uid for row, caller in zip(found, callers, strict=True) for uid in (row["uid"], *caller.people) if uid}
    logins = transactions.look(lambda root: users.logins(root, uids)) if uids else {}
    for row, caller in zip(found, callers, strict=True):
        row["who"] = _who(caller, row["client"], logins)
        row["as_user"] = logins.get(row["uid"], "")
    return found


def uid_of(login: str) -> int | None:
    """Return the Odoo user with this login, switched off or not."""
    if not login:
        return None
    user = transactions.look(lambda root: credentials.user_by_login(root, login, active_test=False))
    return user.uid if user else None


def _who(caller: Caller, client: str | None, logins: Mapping[int, str]) -> str:
    if caller.admin is None:
        return _name(caller, client, logins) or ("anybody" if caller.known else "unknown")
    admin = _login(caller.admin, logins)
    who = (_name(caller, client, logins) or "anybody") if caller.known else "nobody"
    as_whom = "" if who == admin else f" as {who}"
    return f"{admin}{as_whom}, in the panel{', as a test' if caller.rolled_back else ''}"


def _name(caller: Caller, client: str | None, logins: Mapping[int, str]) -> str:
    """Return the client app, the person, or who acts for whom; "" for the public."""
    person = _login(caller.uid, logins) if caller.uid else None
    return " for ".join(filter(None, (client, person)))


def _login(uid: int, logins: Mapping[int, str]) -> str:
    return logins.get(uid, f"user {uid}")
