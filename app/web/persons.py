"""Persons in front of a browser, by the cookie of Odoo's session.

A session that was opened with an API key calls APIs, and is no person: a program that has the key would consent,
approve and administer in their place.
"""

from __future__ import annotations

from app.principal import Person
from app.web.current import current_report, current_request
from app.web.services import services
from odoo_bridge import sessions, users
from odoo_bridge.sessions import COOKIE
from odoo_bridge.transaction import Environment


def current_visitor() -> Person | None:
    """Return the person whose session the browser sends, None for a stranger and for a program."""
    if not current_request().cookies.get(COOKIE):
        return None
    return services().transactions.run(person_of_cookie)


def person_of_cookie(root: Environment) -> Person | None:
    """Return the same within a transaction; the report takes the session's renewal."""
    found = sessions.resolve(root, current_request().cookies.get(COOKIE, ""))
    if found is None or found.by_key:
        return None
    current_report().session = found.renewal
    return Person(found.user.uid, found.user.login, users.is_administrator(root, found.user.uid))
