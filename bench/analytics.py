"""Times of the analytics page with two million rows in the log: ``python -m bench.analytics``.

Rows of thirty days are made: 20 APIs with 5 endpoints each, called by 3 client apps, with their rollups as the recorder
would have written them. Then the queries of the page are timed, five times each, and the median printed; and those
of the log and the overview, each by itself.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone

import psycopg2

from app.database import Database
from dev import testbed as dev_testbed

LOG_ROWS = 2_000_000
DAYS = 30
ROUNDS = 5
#: Seconds that the page may take.
LIMIT = 1.0


def main() -> None:
    """Make the rows, time the queries, and exit with 1 where the page is too slow."""
    testbed = dev_testbed.prepare()
    if testbed.odoo_source is not None:
        os.environ["GATEHOUSE_ODOO_SOURCE"] = str(testbed.odoo_source)
    from app.catalog.migrating import upgrade  # noqa: PLC0415  Odoo's source has to be known before

    name = f"gatehouse_bench_{os.getpid()}"
    testbed.clone(name)
    try:
        database = Database({"dsn": testbed.dsn(name)})
        upgrade(database)
        print(f"Making {LOG_ROWS:,} rows of {DAYS} days ...", flush=True)
        fill(database)
        page = _time(database)
    finally:
        testbed.drop(name)
    print(f"The page: {page:.3f} s (limit {LIMIT} s)")
    raise SystemExit(0 if page < LIMIT else 1)


def fill(database: Database) -> None:
    """Make the rows of the log and of the rollups that belong to them."""
    from app import partitions  # noqa: PLC0415

    today = datetime.now(timezone.utc).date()
    with database.transaction() as cr:
        for age in range(DAYS + 1):
            partitions.ensure(cr, "request_log", date.fromordinal(today.toordinal() - age))
        cr.execute(
            "INSERT INTO gatehouse.request_log (at, request_id, api_id, endpoint, path, status, error, caller, "
            "client, uid, address, milliseconds) "
            "SELECT now() - (n %% %(minutes)s) * interval '1 minute', md5(n::text), n %% 20, "
            "'GET /api/' || n %% 20 || '/' || n %% 5, '/api', CASE WHEN n %% 17 = 0 THEN 404 ELSE 200 END, "
            "CASE WHEN n %% 17 = 0 THEN 'not_found' END, 'client:' || n %% 3, 'Client ' || n %% 3, 2, '192.0.2.1', "
            "exp(random() * 5) FROM generate_series(1, %(rows)s) n",
            {"rows": LOG_ROWS, "minutes": DAYS * 24 * 60},
        )
        kept = (("rollup_day", "day", DAYS + 1), ("rollup_hour", "hour", DAYS + 1), ("rollup_minute", "minute", 2))
        for table, unit, days in kept:
            for dimension, key in (("api", "''"), ("endpoint", "endpoint"), ("client", "client"), ("error", "error")):
                cr.execute(
                    f"INSERT INTO gatehouse.{table} SELECT '{dimension}', date_trunc('{unit}', at), api_id, {key}, "
                    "error IS NOT NULL, greatest(0, ceil(ln(milliseconds / 0.1) / ln(1.1)))::int, count(*), "
                    f"sum(milliseconds) FROM gatehouse.request_log WHERE {key} IS NOT NULL "
                    f"AND at >= now() - interval '{days} days' GROUP BY 2, 3, 4, 5, 6"
                )
    connection = psycopg2.connect(**database.dsn)
    connection.autocommit = True
    with connection.cursor() as cr:
        cr.execute("VACUUM ANALYZE")
    connection.close()


def _time(database: Database) -> float:
    from app.analytics import log_pages, queries, recent  # noqa: PLC0415
    from app.analytics.log_pages import Wanted  # noqa: PLC0415
    from app.analytics.queries import Period  # noqa: PLC0415

    period = Period.last(timedelta(days=DAYS))
    parts: dict[str, Callable[[], object]] = {
        "totals": lambda: queries.totals(database, period),
        "per API": lambda: queries.by(database, period, "api"),
        "per endpoint": lambda: queries.by(database, period, "endpoint"),
        "per client app": lambda: queries.by(database, period, "client"),
        "per error": lambda: queries.by(database, period, "error"),
        "over time": lambda: queries.series(database, period),
        "newest rows of the log": lambda: log_pages.log_page(database, period),
    }
    # Other pages, each of which has to be as fast by itself.
    beside: dict[str, Callable[[], object]] = {
        "rows of an endpoint": lambda: log_pages.log_page(database, period, Wanted(endpoint="GET /api/3/3")),
        "rows of a rare client app": lambda: log_pages.log_page(database, period, Wanted(client="nobody")),
        "rows of a rare error": lambda: log_pages.log_page(database, period, Wanted(error="nothing")),
        "overview: last failures": lambda: recent.failures(database, 8),
        "overview: who was limited": lambda: recent.limited(database, 8),
    }
    total = sum(_median(name, part) for name, part in parts.items())
    slowest = max(_median(name, part) for name, part in beside.items())
    (counted,) = database.rows("SELECT count(*) AS rows FROM gatehouse.rollup_day", {})
    print(f"{'rows of the rollup':26} {counted['rows']:8}")
    return max(total, slowest)


def _median(name: str, part: Callable[[], object]) -> float:
    """Return the median of the seconds that a query takes, and print it."""
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        part()
        seconds.append(time.perf_counter() - started)
    median = statistics.median(seconds)
    print(f"{name:26} {median * 1000:8.1f} ms", flush=True)
    return median


if __name__ == "__main__":
    main()
