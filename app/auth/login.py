"""Logging in: credentials of Odoo against an Odoo session, with a limit on wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.auth.throttle import Throttle
from app.metrics import meters
from odoo_bridge import credentials, second_factor, sessions
from odoo_bridge.credentials import SecondFactorRequired, User
from odoo_bridge.errors import Denied
from odoo_bridge.sessions import Login
from odoo_bridge.transaction import Environment, Transactions


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody's try to log in. ``secret`` is a password or an Odoo API key."""

    database: str
    login: str
    secret: str
    address: str


def with_password(transactions: Transactions, throttle: Throttle, attempt: Attempt) -> Login:
    """Open a session; raises Denied, SecondFactorRequired or TooManyRequests."""

    def check(root: Environment) -> User:
        return credentials.check_password(root, attempt.login, attempt.secret, address=attempt.address)

    return _open(transactions, throttle, attempt, check, "password")


def with_key(transactions: Transactions, throttle: Throttle, attempt: Attempt) -> Login:
    """Open a session with an Odoo API key instead of a password; raises Denied or TooManyRequests."""

    def check(root: Environment) -> User:
        return credentials.check_key(root, attempt.login, attempt.secret)

    return _open(transactions, throttle, attempt, check, "api_key")


def with_code(transactions: Transactions, throttle: Throttle, attempt: Attempt, user: User) -> Login:
    """Open a session for a user whose password was right, with the code of the second factor as the secret.

    Raises Denied or TooManyRequests.
    """
    throttle.check_login(attempt.login, attempt.address)

    def work(root: Environment) -> Login | None:
        # A wrong code is no exception here: Odoo's own count of tries has to be committed.
        if not second_factor.check_code(root, user.uid, attempt.secret, address=attempt.address):
            return None
        return sessions.open_session(root, user)

    opened = transactions.run(work)
    meters.CREDENTIALS.labels("code", "wrong" if opened is None else "good").inc()
    if opened is None:
        throttle.failed(attempt.login, attempt.address, counted=True)
        throttle.slow_down(attempt.login, attempt.address)
        raise Denied("This code is not right. Please use the newest one; Odoo takes five tries in an hour.")
    throttle.succeeded(attempt.login, attempt.address)
    return opened


def _open(
    transactions: Transactions, throttle: Throttle, attempt: Attempt, check: Callable[[Environment], User], kind: str
) -> Login:
    throttle.check_login(attempt.login, attempt.address)

    def work(root: Environment) -> Login:
        if attempt.database != root.cr.dbname:
            raise Denied("Wrong database, login or password.")
        return sessions.open_session(root, check(root))

    try:
        opened = transactions.run(work)
    except (Denied, SecondFactorRequired) as error:
        # A second factor that is missing counts too: the answer tells that the password was right.
        meters.CREDENTIALS.labels(kind, "wrong").inc()
        throttle.failed(attempt.login if isinstance(error, Denied) else None, attempt.address, counted=True)
        throttle.slow_down(attempt.login, attempt.address)
        raise
    meters.CREDENTIALS.labels(kind, "good").inc()
    throttle.succeeded(attempt.login, attempt.address)
    return opened
