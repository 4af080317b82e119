"""Odoo's own credentials: who belongs to a login and a password, and callers that were found good before.

Those are remembered by what stands for their credentials (see ``fast.principals``).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable
from typing import Any

from odoo.exceptions import AccessDenied

from .errors import BridgeError, Denied
from .fast import principals
from .looks import Watched
from .transaction import Environment
from .types import User


class SecondFactorRequired(BridgeError):
    """The password is right, but the user has two-factor authentication: the password alone opens nothing."""

    name = "second_factor_required"

    def __init__(self, message: str, user: User) -> None:
        """``user`` is who gave the right password."""
        super().__init__(message)
        self.user = user


def check_password(root: Environment, login: str, password: str, *, address: str) -> User:
    """Return the user of a login and password; raises Denied or SecondFactorRequired.

    ``address`` is the caller's, for Odoo's log. No ``base_location`` is passed: with one, Odoo would rewrite its
    ``web.base.url`` (res_users.py, authenticate).
    """
    credential = {"type": "password", "login": login, "password": password}
    users = root(user=None, su=False)["res.users"]
    try:
        info = users.authenticate(credential, {"interactive": True, "REMOTE_ADDR": address})
    except AccessDenied as error:
        _take_as_long(root, login, password)
        raise Denied("Wrong database, login or password.") from error
    user = root["res.users"].browse(info["uid"])
    if info.get("mfa") != "skip" and user._mfa_url():
        raise SecondFactorRequired(
            "This user has two-factor authentication. Log in at Odoo's login page, or use an API key.",
            User(user.id, user.login),
        )
    return User(user.id, user.login)


def _take_as_long(root: Environment, login: str, password: str) -> None:
    """Hash once where Odoo has not, so that the time tells no stranger which logins exist."""
    root.cr.execute("SELECT 1 FROM res_users WHERE login = %s AND active AND password LIKE '$%%'", (login,))
    if root.cr.fetchone() is None:
        root["res.users"]._crypt_context().hash(password)


def user_by_key(root: Environment, key: str) -> User | None:
    """Return the active user of an Odoo API key that has not expired; one query, and a hash where it finds one."""
    uid = root["res.users.apikeys"]._check_credentials(scope="rpc", key=key)
    return User(uid, root["res.users"].browse(uid).login) if uid else None


def check_key(root: Environment, login: str, key: str) -> User:
    """Return the user of a login and an API key; raises Denied where the key is another user's, too."""
    user = user_by_key(root, key)
    if user is None or user.login != login:
        raise Denied("Wrong database, login or key.")
    return user


def user_by_login(root: Environment, login: str, *, active_test: bool = True) -> User | None:
    """Return the active user with this login; without ``active_test`` also one who is switched off."""
    users = root["res.users"].with_context(active_test=active_test)
    user = users.search([("login", "=", login)], order="active desc", limit=1)
    return User(user.id, user.login, user.active) if user else None


def public_uid(root: Environment) -> int:
    """Return the uid of Odoo's public user; remembered."""
    uid: int | None = principals.recall(root, "public user")
    if uid is None:
        uid = public_user(root).uid
        principals.remember(root, "public user", uid)
    return uid


def public_user(root: Environment) -> User:
    """Return Odoo's public user, who executes calls of nobody in particular. It is inactive by design."""
    user = root.ref("base.public_user")
    return User(user.id, user.login)


def is_active(root: Environment, uid: int, *, remembered: bool = False) -> bool:
    """True if the user still exists and may act; one short query.

    ``remembered``: none for a user who was active before, until the next look finds them switched off.
    """
    shown = ("user", uid)
    if remembered and principals.recall(root, shown):
        return True
    root.cr.execute("SELECT active FROM res_users WHERE id = %s", (uid,))
    row = root.cr.fetchone()
    active = bool(row and row[0])
    if remembered and active:
        principals.remember(root, shown, True, users=(uid,))
    return active


def recall(root: Environment, shown: Hashable) -> Any:
    """Return the value remembered of a caller, by what stands for their credentials; None where there is none."""
    return principals.recall(root, shown)


def remember(
    root: Environment, shown: Hashable, value: Any, *, users: Collection[int], until: float = math.inf
) -> None:
    """Remember a caller who was found good, for as long as these users are active; see ``fast.principals``."""
    principals.remember(root, shown, value, users=users, until=until)


def remember_by_key(
    root: Environment, shown: Hashable, value: Any, *, users: Collection[int], holder: int, key: str
) -> None:
    """Remember a caller as ``remember`` does, while the API key of the holder's is good that they have shown.

    Not where an addon has rules of its own for keys.
    """
    row = principals.key_row(root, holder, key)
    if row is not None:
        principals.remember(root, shown, value, users=users, key=row)


def foundations() -> Watched:
    """Return the watch on the users and API keys that remembered callers rest on."""
    return principals.Foundations()
