"""Readiness of this process: the checks of ``/readyz``, each a function of one job."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.analytics.recorder import Recorder
from app.catalog import schema_version
from app.catalog.catalog import Catalog
from app.catalog.schema_version import SchemaMismatch
from app.config import Settings, variable
from app.errors import Unavailable
from app.observe.checking import Check, Checks
from app.operations.addons import Addons
from odoo_bridge import direct_reads, storage
from odoo_bridge.boot import Instance
from odoo_bridge.errors import NoFreeConnection
from odoo_bridge.transaction import Transactions
from serving import draining

T = TypeVar("T")
#: Seconds that a statement of a check may take.
_STATEMENT_TIMEOUT = 1.5
#: Seconds that rows of the request log may wait; a batch is written each second.
LOG_PATIENCE = 60.0
#: Seconds that a registry may take to load before a host counts as stuck: a large one takes half a minute.
REGISTRY_GRACE = 120.0
#: Seconds that a good result is remembered of what costs a file or a query.
_MOMENT = 2.0


def make_checks(
    settings: Settings,
    instance: Instance,
    transactions: Transactions,
    catalog: Catalog,
    recorder: Recorder,
    addons: Addons,
) -> Checks:
    """Return the checks; where several fail, the first of them gives the answer its name."""
    read = _Reads(instance.database)
    return Checks(
        [
            Check("stopping", _stopping, instant=True),
            Check("database", lambda: _database(read)),
            Check("schema", lambda: _schema(read), lasts=_MOMENT),
            Check("addons", lambda: _addons(addons), instant=True),
            # Where Odoo has changed, the first that comes loads the registry anew: calls wait for it, and none fails.
            Check("registry", lambda: _registry(transactions), lasts=_MOMENT, grace=REGISTRY_GRACE),
            Check("catalog", lambda: _catalog(catalog), instant=True),
            Check("data_dir", lambda: _data_dir(instance), lasts=_MOMENT),
            Check("session_store", lambda: _session_store(instance), lasts=_MOMENT),
            Check("disk_space", lambda: _disk_space(instance, settings.min_free_space), lasts=_MOMENT),
            # All hosts write the same table: what locks it would take all of them out, though every call is served.
            Check("request_log", lambda: _request_log(recorder), instant=True, required=False),
        ]
    )


def _stopping() -> Mapping[str, Any]:
    if draining.is_draining():
        raise Unavailable("The server is stopping.", name="stopping")
    return {}


class _Reads:
    """Reads of the database one after the other: connections are for calls, and a probe takes one of them here."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._turn = threading.Lock()

    def __call__(self, work: Callable[[Any], T]) -> T:
        with self._turn:
            return direct_reads.read(self._database, work, statement_timeout=_STATEMENT_TIMEOUT)


def _database(read: _Reads) -> Mapping[str, Any]:
    read(lambda cr: cr.execute("SELECT 1"))
    return {}


def _schema(read: _Reads) -> Mapping[str, Any]:
    try:
        found = read(schema_version.check)
    except SchemaMismatch as error:
        raise Unavailable(str(error), name=error.name) from error
    return {"revision": found.revision, "code": schema_version.KNOWN[-1]}


def _addons(addons: Addons) -> Mapping[str, Any]:
    problem = addons.problem()
    if problem is not None:
        raise problem
    return {}


def _registry(transactions: Transactions) -> Mapping[str, Any]:
    try:
        transactions.run(lambda root: None, keep=False)
    except NoFreeConnection:
        return {"connections": "all in use"}  # by calls, which have the registry: load is no reason to be left out
    return {}


def _catalog(catalog: Catalog) -> Mapping[str, Any]:
    version = catalog.snapshot.version
    if not version:
        raise Unavailable("The API definitions are not loaded yet.", name="catalog_not_loaded", retry_after=1)
    return {"version": version}


def _data_dir(instance: Instance) -> Mapping[str, Any]:
    storage.try_filestore(instance)
    return {}


def _session_store(instance: Instance) -> Mapping[str, Any]:
    storage.try_sessions()
    return {}


def _disk_space(instance: Instance, least: int) -> Mapping[str, Any]:
    free = storage.free_bytes(instance)
    if free < least:
        raise Unavailable(
            f"{instance.data_dir}: {free} bytes are free, and {variable('min_free_space')} asks for {least}.",
            name="storage_full",
        )
    return {"free_bytes": free}


def _request_log(recorder: Recorder) -> Mapping[str, Any]:
    lag = recorder.lag()
    if lag > LOG_PATIENCE:
        raise Unavailable(
            f"Rows of the request log have been waiting for {lag:.0f} s and are not written: the server's log says "
            "why, or something has locked the table.",
            name="request_log_behind",
        )
    return {"waiting_seconds": round(lag, 1)}
