"""Services of the process: made once by the factory, reached by the views through ``services()``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from app.analytics.recorder import Recorder
from app.auth.throttle import Throttle
from app.capture.keeper import Keeper
from app.catalog import store
from app.catalog.catalog import Catalog
from app.clients.tokens import Hasher
from app.config import Settings
from app.database import Database
from app.mcp.toolbox import Toolbox
from app.observe.checking import Checks
from app.operations.addons import Addons
from app.operations.batches import Batches
from app.operations.cursors import Cursors, cursors
from app.operations.delta.streaming import ChangeStreams
from app.operations.exports.starting import Exports
from app.operations.gateway import Gateway
from app.operations.imports.starting import Imports
from app.web.current import current_app_object
from app.webhooks.acting import Acting
from app.webhooks.subscriptions import Subscriptions
from odoo_bridge.boot import Instance
from odoo_bridge.transaction import Transactions


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one running Gatehouse."""

    settings: Settings
    instance: Instance
    transactions: Transactions
    database: Database
    catalog: Catalog
    throttle: Throttle
    recorder: Recorder
    gateway: Gateway
    batches: Batches
    exports: Exports
    imports: Imports
    streams: ChangeStreams
    addons: Addons
    keeper: Keeper
    acting: Acting
    webhooks: Subscriptions
    toolbox: Toolbox
    readiness: Checks

    def hasher(self) -> Hasher:
        """Return the hasher of tokens: with the key of the settings, else with the one that the database keeps."""
        settings = self.catalog.snapshot.settings or self._stored_settings()
        return Hasher(self.settings.secret_key or settings["secret_key"])

    def cursors(self) -> Cursors:
        """Return the seal of cursors, whose key follows from the same."""
        return cursors(self.hasher().key)

    def _stored_settings(self) -> Mapping[str, Any]:
        with self.database.transaction() as cr:
            return store.load(cr).settings


class _Serving(Protocol):
    services: Services


def services() -> Services:
    """Return the services of the current app."""
    return cast(_Serving, current_app_object()).services
