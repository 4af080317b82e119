"""Callers that were found good, remembered by what stands for their credentials, so that their next call asks nobody.

They are one of the registry's caches (see ``caches``): it is emptied at Odoo's signals, and when the database counts a
change of credentials. What neither tells is read with each look at those: whether all users and API keys that the
remembered rest on are still there. So a call that begins knows as much as the last look.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Any

from odoo.addons.base.models.res_users import ResUsersApikeys

from odoo_bridge.caches import PRINCIPALS
from odoo_bridge.fast import is_on

#: Seconds after which a caller is looked up again in any case, should a clock be set or triggers be off.
_LONGEST = 60.0
_now = time.monotonic
#: Condition for an API key to open anything; as in ``_check_credentials``.
_GOOD_KEY = (
    "(scope IS NULL OR scope = 'rpc') AND (expiration_date IS NULL OR expiration_date >= now() AT TIME ZONE 'utc')"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A value good until a time (``time.monotonic``), with what it rests on: active users, an API key's row."""

    value: Any
    until: float
    users: tuple[int, ...]
    key: int | None


def recall(root: Any, shown: Hashable) -> Any:
    """Return the value found for ``shown``, None where that is not remembered. No query, and no snapshot is taken."""
    if not is_on("principals"):
        return None
    try:
        entry: Entry = root.cr.cache_view.get(root.registry._Registry__caches, PRINCIPALS, shown)
    except KeyError:
        return None
    return entry.value if _now() < entry.until else None


def remember(
    root: Any,
    shown: Hashable,
    value: Any,
    *,
    users: Collection[int] = (),
    key: int | None = None,
    until: float = math.inf,
) -> None:
    """Remember the value that a transaction has found for ``shown``; it becomes shared as all that is cached does.

    It must be good as long as ``users`` are active, ``key`` is there and no change of credentials is counted, and
    ``shown`` must not hold a secret in plain text.
    """
    if is_on("principals"):
        entry = Entry(value, min(until, _now() + _LONGEST), tuple(users), key)
        root.cr.cache_view.put(root.registry._Registry__caches, PRINCIPALS, shown, entry)


def key_row(root: Any, uid: int, key: str) -> int | None:
    """Return the row of a user's good API key; None where an addon has rules of its own for keys, and where in doubt.

    ``key`` was found to be one of theirs.
    """
    keys = root["res.users.apikeys"]
    if type(keys)._check_credentials is not ResUsersApikeys._check_credentials:
        return None
    root.cr.execute(
        f"SELECT id FROM res_users_apikeys WHERE user_id = %s AND index = %s AND {_GOOD_KEY}", (uid, key[:8])
    )
    rows = root.cr.fetchall()
    return rows[0][0] if len(rows) == 1 else None


class Foundations:
    """Watch on the users and API keys that remembered callers rest on; its number is 1 while all are as they were."""

    by_calls = True

    def query(self, registry: Any) -> str:
        """See ``looks.Watched``."""
        entries = registry._Registry__caches[PRINCIPALS].snapshot.values()
        users = {uid for entry in entries for uid in entry.users}
        keys = {entry.key for entry in entries if entry.key is not None}
        return (
            f"SELECT ({_counted('res_users', users, 'active')} AND {_counted('res_users_apikeys', keys, _GOOD_KEY)})"
            "::int"
        )

    def is_known(self, number: int | None) -> bool:
        """See ``looks.Watched``."""
        return number == 1

    def take(self, registry: Any, number: int | None) -> None:
        """See ``looks.Watched``."""
        registry._Registry__caches[PRINCIPALS].clear()


def _counted(table: str, ids: Collection[int], condition: str) -> str:
    """Return the condition that all of these rows meet one."""
    if not ids:
        return "true"
    listed = ", ".join(map(str, sorted(ids)))
    return f"(SELECT count(*) FROM {table} WHERE id IN ({listed}) AND {condition}) = {len(ids)}"
