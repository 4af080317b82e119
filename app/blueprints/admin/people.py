"""Callers, users and client apps in a person's words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.analytics.callers import Caller, read
from app.blueprints.admin import transactions
from app.clients import store as clients
from odoo_bridge import credentials, users
from odoo_bridge.transaction import Environment


@dataclass(frozen=True, slots=True)
class _Known:
    """Logins by uid, and the ids of the client apps that there are."""

    logins: Mapping[int, str]
    apps: frozenset[int]


def named(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of the log or the audit with their callers by name.

    ``who`` is the caller, ``as_user`` the user that acted, ``app_id`` the client app where it is still there, and
    ``approver`` the person who has approved what an AI agent did.
    """
    found = [dict(row) for row in rows]
    callers = [read(row["caller"]) for row in found]
    uids = {uid for row in found for uid in (row["uid"], row.get("approved_by")) if uid}
    uids |= {uid for caller in callers for uid in caller.people if uid}
    apps = {caller.client for caller in callers if caller.client}
    known = _known(uids, apps)
    for row, caller in zip(found, callers, strict=True):
        row["who"] = _who(caller, row["client"], known.logins)
        row["as_user"] = known.logins.get(row["uid"], "")
        row["approver"] = _login(row["approved_by"], known.logins) if row.get("approved_by") else ""
        row["app_id"] = caller.client if caller.client in known.apps else None
    return found


def uid_of(login: str) -> int | None:
    """Return the Odoo user with this login, switched off or not."""
    if not login:
        return None
    user = transactions.look(lambda root: credentials.user_by_login(root, login, active_test=False))
    return user.uid if user else None


def logins(uids: Collection[int]) -> dict[int, str]:
    """Return the logins of users by uid; those that are gone are left out."""
    return transactions.look(lambda root: users.logins(root, uids)) if uids else {}


def _known(uids: set[int], apps: set[int]) -> _Known:
    def work(root: Environment) -> _Known:
        present = frozenset(clients.names(root.cr, apps)) if apps else frozenset()
        return _Known(users.logins(root, uids) if uids else {}, present)

    return transactions.look(work) if uids or apps else _Known({}, frozenset())


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
