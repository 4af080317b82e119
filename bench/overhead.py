"""Overhead of the gateway over the ORM call that it wraps, without HTTP: ``python -m bench overhead``.

Both run in this process, in turn, call by call: each in a transaction of its own, as the same user and with the same
context, so that neither finds the other's records in Odoo's cache. Then what each fast piece wins (``pieces``).
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from app.factory import create_app
from app.operations.actions import READ, SEARCH
from app.web.routing import Gatehouse
from bench import configure, piece_calls, pieces, report, results, wire
from bench.gateway_calls import Calls, one_query
from bench.pieces import Timing
from bench.wire import Wire
from bench.workloads import FIVE, TWO
from dev.steps import say
from odoo_bridge import fast

#: Times that each call is made, and of them those that only warm up.
CALLS, WARMING = 400, 50
#: How much more than the bare call the gateway may take.
LIMIT = 0.20


@dataclass
class Job:
    """A call to time. ``run`` returns the number of SQL queries that it made before the commit."""

    title: str
    run: Callable[[], int]
    seconds: list[float] = field(default_factory=list)
    queries: int = 0

    @property
    def milliseconds(self) -> float:
        """The median."""
        return median(self.seconds[WARMING:]) * 1000


def main(only: Sequence[str]) -> int:
    """Print and keep the tables; return 1 where the gateway adds too much to a search, or a fast piece wins too little.

    ``only`` names pieces to measure by themselves, of which nothing is kept.
    """
    app = create_app()
    configured = configure.configure(app)
    logging.disable(logging.WARNING)
    app.services.catalog.refresh()
    basic = (configured["client_id"], configured["client_secret"])
    token = app.test_client().post("/api/oauth2/token", auth=basic).get_json()["access_token"]
    calls, partner_id = Calls(app, configured["uid"], token), _some_partner(app)
    try:
        jobs = {} if only else _timed(_jobs(calls, partner_id))
        timings = _of_pieces(app, calls, partner_id, token, only or tuple(pieces.CALLS_OF))
    finally:
        app.services.catalog.stop()
        app.services.recorder.stop()
    missed = [*_missed(jobs), *pieces.wasted(timings)]
    if only:
        say(f"\n{pieces.markdown(timings)}\n")
    else:
        results.write("overhead", _entries(jobs, timings), f"{markdown(jobs)}\n\n{pieces.markdown(timings)}")
    for sentence in missed:
        say(f"Missed: {sentence}")
    return int(bool(missed))


def markdown(jobs: dict[str, Job]) -> str:
    """Return the table of calls; ``bare_x`` is the call that ``x`` is compared with."""
    rows = []
    for name, job in jobs.items():
        beside = f"{added(jobs, name) * 100:+.0f} %" if f"bare_{name}" in jobs else ""
        rows.append([job.title, f"{job.milliseconds:.2f}", str(job.queries), beside])
    return report.table(["call", "ms", "queries", "beside the bare call"], rows)


def added(jobs: dict[str, Job], name: str) -> float:
    """Return the part of a bare call's time that the gateway adds to it."""
    return jobs[name].milliseconds / jobs[f"bare_{name}"].milliseconds - 1


def _missed(jobs: dict[str, Job]) -> list[str]:
    if not jobs or (more := added(jobs, "search")) <= LIMIT:
        return []
    return [f"The gateway adds {more:.0%} to a search of 80, not at most {LIMIT:.0%}."]


def _entries(jobs: dict[str, Job], timings: list[Timing]) -> dict[str, Any]:
    calls = [{"call": job.title, "ms": round(job.milliseconds, 3), "queries": job.queries} for job in jobs.values()]
    return {"calls": calls, "pieces": [timing.entry() for timing in timings]}


def _timed(jobs: dict[str, Job]) -> dict[str, Job]:
    for number in range(CALLS):
        if number % 100 == 0:
            say(f"  calls: {number} of {CALLS}")
        for job in jobs.values():
            started = time.perf_counter()
            job.queries = job.run()
            job.seconds.append(time.perf_counter() - started)
    return jobs


def _of_pieces(app: Gatehouse, calls: Calls, partner_id: int, token: str, only: Sequence[str]) -> list[Timing]:
    connection = Wire(app)

    def without(piece: str) -> AbstractContextManager[None]:
        if piece in wire.PIECES:
            return connection.without(piece)
        return fast.without(next(each for each in fast.PIECES if each == piece))

    try:
        return pieces.measure(piece_calls.works(calls, partner_id, connection, token), without, only)
    finally:
        connection.close()


def _jobs(calls: Calls, partner_id: int) -> dict[str, Job]:
    public_id = calls.public_id(partner_id)
    counted = {"fields": ",".join(TWO), "limit": "80"}
    search = {**counted, "count": "none"}
    read = {"fields": ",".join(FIVE)}

    def searching(parameters: dict[str, str]) -> Callable[[], int]:
        return lambda: calls.gateway(SEARCH, lambda do: do.search(parameters))

    return {
        "bare_empty": Job("Odoo: a cursor and one trivial query", lambda: calls.bare(one_query)),
        "empty": Job("the bridge: a transaction and one trivial query", calls.transaction),
        "nothing": Job("the gateway around nothing", lambda: calls.gateway(SEARCH, lambda do: None)),
        "bare_search": Job("Odoo: search_read, 80 of two fields", lambda: calls.bare(_search)),
        "search": Job("the gateway: search 80, two fields", searching(search)),
        "bare_counted": Job("Odoo: the same and search_count", lambda: calls.bare(_search_and_count)),
        "counted": Job("the gateway: the same, counted", searching(counted)),
        "bare_read": Job("Odoo: read, five fields", lambda: calls.bare(lambda env: _read(env, partner_id))),
        "read": Job("the gateway: read, five fields", lambda: calls.gateway(READ, lambda do: do.read(public_id, read))),
    }


def _search(env: Any) -> None:
    env["res.partner"].search_read([], TWO, limit=80)


def _search_and_count(env: Any) -> None:
    _search(env)
    env["res.partner"].search_count([])


def _read(env: Any, partner_id: int) -> None:
    env["res.partner"].browse(partner_id).read(FIVE)


def _some_partner(app: Gatehouse) -> int:
    return int(app.services.transactions.run(lambda root: root["res.partner"].search([], limit=1, order="id desc").id))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
