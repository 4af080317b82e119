"""Clients that describe themselves, looked up before a person is asked about them."""

from __future__ import annotations

import threading

from app.clients import metadata, strangers
from app.clients.metadata import Unfit
from app.clients.store import Client
from app.config import variable
from app.networks import Networks
from app.web.persons import person_of_cookie
from app.web.services import services
from odoo_bridge.transaction import Environment

#: Descriptions that are fetched at once: each takes a thread for seconds.
_FETCHING = threading.BoundedSemaphore(2)


def look_up(url: str) -> None:
    """Fetch the description of a client whose id is an address, outside of any transaction; raises Unfit.

    For a person who is logged in alone, and of hosts that an administrator has named.
    """
    if not metadata.is_url(url):
        return
    app, is_known = services().transactions.run(lambda root: _host_app(root, url))
    if app is not None and not is_known:
        found = _fetched(url)
        services().transactions.run(lambda root: strangers.keep(root.cr, app, found))


def _host_app(root: Environment, url: str) -> tuple[Client | None, bool]:
    """Return the client app that a client's host belongs to, and whether there is nothing to be fetched of it."""
    if person_of_cookie(root) is None:
        return None, True
    app = strangers.host_app(root.cr, url)
    known = strangers.find(root.cr, url)
    return app, app is not None and known is not None and known.id == app.id and strangers.is_fresh(root.cr, url)


def _fetched(url: str) -> metadata.Described:
    """Fetch a description; raises Unfit, also where too many are being fetched."""
    if not _FETCHING.acquire(blocking=False):
        raise Unfit("Too many apps are being looked up at the moment. Please try again.")
    try:
        settings = services().settings
        return metadata.described(url, Networks.parse(settings.metadata_networks, variable("metadata_networks")))
    finally:
        _FETCHING.release()
