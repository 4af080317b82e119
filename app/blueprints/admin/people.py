"""Callers and users in a person's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.blueprints.admin import transactions
from odoo_bridge import credentials, users

_USER = re.compile(r"user:(\d+)|client:\d+:(\d+)")
#: What ``app.trial`` writes for a call from the console: who tried it, and as whom.
_TRIED = re.compile(r"panel(-test)?:(\d+)/(.*)", re.DOTALL)


def named(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of the log or the audit with ``who``, their caller by name, and ``as_user``, the user that acted."""
    found = [dict(row) for row in rows]
    uids = {uid for row in found for uid in (row["uid"], *_people(row["caller"])) if uid}
    logins = transactions.look(lambda root: users.logins(root, uids)) if uids else {}
    for row in found:
        row["who"] = _who(row["caller"], row["client"], logins)
        row["as_user"] = logins.get(row["uid"], "")
    return found


def uid_of(login: str) -> int | None:
    """Return the Odoo user with this login, switched off or not."""
    if not login:
        return None
    user = transactions.look(lambda root: credentials.user_by_login(root, login, active_test=False))
    return user.uid if user else None


def _who(caller: str | None, client: str | None, logins: Mapping[int, str]) -> str:
    tried = _TRIED.fullmatch(caller or "")
    if tried is not None:
        login = logins.get(int(tried[2]), f"user {tried[2]}")
        who = "nobody" if tried[3] == "nobody" else _who(tried[3], client, logins)
        as_whom = "" if who == login else f" as {who}"
        return f"{login}{as_whom}, in the panel{', as a test' if tried[1] else ''}"
    person = _person(caller)
    login_of_person = logins.get(person, f"user {person}") if person else None
    return " for ".join(filter(None, (client, login_of_person))) or ("anybody" if caller else "unknown")


def _people(caller: str | None) -> list[int | None]:
    tried = _TRIED.fullmatch(caller or "")
    return [int(tried[2]), _person(tried[3])] if tried else [_person(caller)]


def _person(caller: str | None) -> int | None:
    match = _USER.fullmatch(caller or "")
    return int(match[1] or match[2]) if match else None
