"""Meters. In gunicorn each worker writes to files of its own in a shared folder (see gunicorn.conf.py)."""

from __future__ import annotations

import itertools
from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("gatehouse_requests", "Requests answered, by part of the server.", ["part", "status"])
UNAVAILABLE = Counter("gatehouse_unavailable", "Requests answered with 503, by reason.", ["reason"])
CALLS = Counter("gatehouse_calls", "Calls of APIs.", ["api", "endpoint", "status"])
SECONDS = Histogram(
    "gatehouse_call_seconds",
    "Duration of calls of APIs.",
    ["api"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
IN_FLIGHT = Gauge("gatehouse_requests_in_flight", "Requests being answered.", multiprocess_mode="livesum")
RETRIES = Counter("gatehouse_transaction_retries", "Transactions tried again because another was quicker.")
CREDENTIALS = Counter(
    "gatehouse_credentials",
    "Credentials checked, by kind (token, api_key, session, password, code, client_secret) and result (good, wrong).",
    ["kind", "result"],
)
CATALOG = Counter("gatehouse_catalog_reloads", "Times that definitions were compiled anew.")
REGISTRY_RELOADS = Counter("gatehouse_registry_reloads", "Times that Odoo's registry was loaded anew.")
ADDON_MISMATCH = Gauge(
    "gatehouse_addon_mismatch", "Addons whose code is not the database's.", multiprocess_mode="livemax"
)
CONNECTIONS = Gauge(
    "gatehouse_database_connections",
    "Connections to PostgreSQL, by pool (odoo, odoo_replica, own) and state (used, idle).",
    ["pool", "state"],
    multiprocess_mode="livesum",
)
CONNECTIONS_LIMIT = Gauge(
    "gatehouse_database_connections_limit",
    "Connections that all workers together may have, by pool (odoo, odoo_replica): db_maxconn for each worker.",
    ["pool"],
    multiprocess_mode="livesum",
)
REPLICA_READS = Counter("gatehouse_replica_reads", "Reads that a replica was asked for, by who did them.", ["server"])
EXPORTS = Counter("gatehouse_exports", "Exports that have ended, by how (whole, cut).", ["api", "end"])
EXPORTED_RECORDS = Counter("gatehouse_exported_records", "Records that exports gave out.", ["api"])
EXPORTED_BYTES = Counter("gatehouse_exported_bytes", "Bytes of exports.", ["api"])
IMPORTS = Counter("gatehouse_imports", "Imports that have ended, by how (whole, cut).", ["api", "end"])
IMPORTED_RECORDS = Counter("gatehouse_imported_records", "Records that imports wrote.", ["api"])
CAPTURED_TABLES = Gauge(
    "gatehouse_captured_tables",
    "Tables whose changes are noted for those who follow them.",
    multiprocess_mode="livemax",
)
CAPTURE_FAILURES = Counter("gatehouse_capture_failures", "Times that the capture could not be put in order.")
CHANGES_LAG = Gauge(
    "gatehouse_changes_lag_seconds",
    "Time by which the changes that can be read are behind: the age of the oldest transaction that writes.",
    multiprocess_mode="livemin",
)
CHANGE_STREAMS = Gauge("gatehouse_change_streams", "Streams of changes that are open.", multiprocess_mode="livesum")
STREAMED_CHANGES = Counter("gatehouse_streamed_changes", "Records that streams of changes told of.", ["api"])
WORKER_DEATHS = Counter("gatehouse_worker_deaths", "Workers that ended without being told to, and were replaced.")
LOG_QUEUE = Gauge("gatehouse_log_queue_rows", "Rows of the request log to be written.", multiprocess_mode="livesum")
LOG_WAITING = Gauge(
    "gatehouse_log_waiting_seconds",
    "Time that the oldest row of the request log has waited to be written.",
    multiprocess_mode="livemax",
)
LOG_DROPPED = Counter("gatehouse_log_dropped_rows", "Rows of the request log that were dropped.")
LOG_BODIES_DROPPED = Counter("gatehouse_log_dropped_bodies", "Calls logged without their bodies for want of room.")

# At 0 from the start: an increase from nothing to 1 is none for Prometheus.
for _kind, _result in itertools.product(
    ("token", "api_key", "session", "password", "code", "client_secret"), ("good", "wrong")
):
    CREDENTIALS.labels(_kind, _result)
for _server in ("primary", "replica"):
    REPLICA_READS.labels(_server)
for _reason in (
    "addon_mismatch",
    "call_timeout",
    "database_overloaded",
    "database_unavailable",
    "definition_broken",
    "registry_unavailable",
    "session_store_unavailable",
    "statement_timeout",
    "storage_full",
):
    UNAVAILABLE.labels(_reason)

#: What each call counts, by its labels: to find it by them anew costs as much as to count.
requests = lru_cache(maxsize=1024)(REQUESTS.labels)
calls = lru_cache(maxsize=4096)(CALLS.labels)
seconds = lru_cache(maxsize=1024)(SECONDS.labels)
credentials = lru_cache(maxsize=64)(CREDENTIALS.labels)
