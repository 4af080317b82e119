"""Logging in: credentials of Odoo against an Odoo session, with a limit on wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.auth.addresses import place_of
from app.auth.throttle import Throttle
from app.observe import meters
from odoo_bridge import credentials, second_factor, sessions
from odoo_bridge.credentials import SecondFactorRequired
from odoo_bridge.errors import Denied
from odoo_bridge.sessions import Login
from odoo_bridge.transaction import Environment, Transactions
from odoo_bridge.types import User


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody's try to log in. ``secret`` is a password or an Odoo API key.

    ``session_id`` is the session that the request's cookie names: whoever logs in again leaves it, and a copy of the
    cookie must be worth nothing then. It ends once the new one is open; a try that fails ends nothing.
    """

    database: str
    login: str
    secret: str
    address: str
    session_id: str | None = None


def with_password(transactions: Transactions, throttle: Throttle, attempt: Attempt) -> Login:
    """Open a session; raises Denied, SecondFactorRequired or TooManyRequests."""

    def check(root: Environment) -> User:
        return credentials.check_password(root, attempt.login, attempt.secret, address=attempt.address)

    throttle.check_login(attempt.login, attempt.address)
    try:
        opened = _open(transactions, attempt, check)
    except (Denied, SecondFactorRequired) as error:
        # A second factor that is missing counts too: the answer tells that the password was right.
        meters.CREDENTIALS.labels("password", "wrong").inc()
        throttle.failed(attempt.login if isinstance(error, Denied) else None, attempt.address)
        throttle.slow_down(attempt.login, attempt.address)
        raise
    meters.CREDENTIALS.labels("password", "good").inc()
    throttle.succeeded(attempt.login, attempt.address)
    return _entered(opened, attempt)


def with_key(transactions: Transactions, throttle: Throttle, attempt: Attempt) -> Login:
    """Open a session with an Odoo API key instead of a password; raises Denied or TooManyRequests.

    A key is random: the right one is taken however many wrong ones strangers have sent.
    """

    def check(root: Environment) -> User:
        return credentials.check_key(root, attempt.login, attempt.secret)

    try:
        opened = _open(transactions, attempt, check, by_key=True)
    except Denied:
        meters.CREDENTIALS.labels("api_key", "wrong").inc()
        throttle.wrong("api_key", attempt.address, attempt.login)
        throttle.slow_down(attempt.login, attempt.address, "api_key")
        raise
    meters.CREDENTIALS.labels("api_key", "good").inc()
    return _entered(opened, attempt)


def with_code(transactions: Transactions, throttle: Throttle, attempt: Attempt, user: User) -> Login:
    """Open a session for a user whose password was right, with the code of the second factor as the secret.

    Raises Denied or TooManyRequests.
    """
    throttle.check_login(attempt.login, attempt.address)

    def work(root: Environment) -> Login | None:
        # A wrong code is no exception here: Odoo's own count of tries has to be committed.
        # Odoo counts them by the address as well, and takes what it is given.
        if not second_factor.check_code(root, user.uid, attempt.secret, address=place_of(attempt.address)):
            return None
        return sessions.open_session(root, user)

    opened = transactions.run(work)
    meters.CREDENTIALS.labels("code", "wrong" if opened is None else "good").inc()
    if opened is None:
        throttle.failed(attempt.login, attempt.address)
        throttle.slow_down(attempt.login, attempt.address)
        raise Denied("This code is not right. Please use the newest one; Odoo takes five tries in an hour.")
    throttle.succeeded(attempt.login, attempt.address)
    return _entered(opened, attempt)


def _open(
    transactions: Transactions, attempt: Attempt, check: Callable[[Environment], User], *, by_key: bool = False
) -> Login:
    """Open a session for the user whom ``check`` finds; raises what that raises, and Denied for another database."""

    def work(root: Environment) -> Login:
        if attempt.database != root.cr.dbname:
            raise Denied("Wrong database, login or password.")
        return sessions.open_session(root, check(root), by_key=by_key)

    return transactions.run(work)


def _entered(opened: Login, attempt: Attempt) -> Login:
    """End the session that the new one takes the place of, whosever and of whichever database it is."""
    if attempt.session_id:
        sessions.close_session(attempt.session_id)
    return opened
