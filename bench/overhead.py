"""Overhead of the gateway over the ORM call that it wraps, without HTTP: ``python -m bench overhead``.

Both run in this process, in turn, call by call: each in a transaction of its own, as the same user and with the same
context, so that neither finds the other's records in Odoo's cache. Then what each fast piece wins (``pieces``).
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any, cast

from app.definitions.definition import Exposure
from app.factory import create_app
from app.operations.actions import CREATE, READ, SEARCH, UPDATE, Action
from app.operations.endpoints import Endpoint
from app.operations.gateway import Call
from app.operations.report import CallReport
from app.operations.single import RecordOperations
from app.operations.versions import Condition
from app.policy.context import RequestedContext
from app.principal import Credentials
from app.web.routing import Gatehouse
from bench import configure, pieces
from odoo_bridge import users
from odoo_bridge.fast import Piece

#: Times that each call is made, and of them those that only warm up.
CALLS, WARMING = 400, 50
#: How much more than the bare call the gateway may take.
LIMIT = 0.20
TWO = ["name", "email"]
FIVE = ["name", "email", "phone", "street", "city"]
TEN = [*FIVE, "zip", "ref", "is_company", "country_id", "create_date"]
#: Calls that one piece is there for; they take long, and no other makes a difference to them.
OF_ONE_PIECE: dict[str, Piece] = {
    "page 500 of ten fields": "deep_pages",
    "a thousand, counted": "counts",
    "page 2, counted": "counts",
}
#: The name of partners that are created, and deleted in the end.
_CREATED = "Created by bench overhead"


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


class Calls:
    """Calls on the app, and on Odoo's ORM beside it."""

    def __init__(self, app: Gatehouse, uid: int, token: str) -> None:
        self._app = app
        self._uid = uid
        self._credentials = Credentials(None, f"Bearer {token}", "127.0.0.1")
        transactions = app.services.transactions
        self._registry: Any = transactions.run(lambda root: root.registry)
        self._environment: Any = transactions.run(type)
        self._context = transactions.run(lambda root: users.own_context(root, uid))

    def bare(self, work: Callable[[Any], object]) -> int:
        """Work in a transaction as Odoo's own code would open it."""
        with self._registry.cursor() as cr:
            work(self._environment(cr, self._uid, self._context))
            return int(cr.sql_log_count)

    def transaction(self) -> int:
        """Do nothing in a transaction of the bridge."""
        return self._app.services.transactions.run(_one_query)

    def gateway(self, action: Action, work: Callable[[RecordOperations], object]) -> int:
        """Work through the gateway: credentials, rate limit, scopes, context, policy, serializer, commit."""
        endpoint = self._endpoint(action)
        call = Call(
            definition=endpoint.definition,
            action=action,
            credentials=self._credentials,
            requested=RequestedContext(None, None, None),
            report=CallReport(),
            request_id="bench",
            call_id="bench",
        )

        def within(env: Any) -> int:
            work(RecordOperations(env, endpoint.definition, cast(Exposure, endpoint.exposure), call.report.changes))
            return int(env.cr.sql_log_count)

        return self._app.services.gateway.run(call, within)

    def public_id(self, record_id: int) -> int | str:
        """Return the id under which the API knows a partner."""
        return self._endpoint(READ).definition.ids.of("res.partner").encode(record_id)

    def _endpoint(self, action: Action) -> Endpoint:
        # Looked up at each call: the catalog is replaced when Odoo's registry is.
        endpoints = self._app.endpoints
        return next(each for each in endpoints if each.action is action and each.definition.name == configure.API)


def main() -> None:
    """Print the tables; exit with 1 where the gateway adds too much to a search, or a fast piece wins too little."""
    app = create_app()
    configured = configure.configure(app)
    logging.disable(logging.WARNING)
    app.services.catalog.refresh()
    basic = (configured["client_id"], configured["client_secret"])
    token = app.test_client().post("/api/oauth2/token", auth=basic).get_json()["access_token"]
    calls, partner_id = Calls(app, configured["uid"], token), _some_partner(app)
    jobs = _jobs(calls, partner_id)
    for _ in range(CALLS):
        for job in jobs.values():
            started = time.perf_counter()
            job.queries = job.run()
            job.seconds.append(time.perf_counter() - started)
    code = report(jobs)
    try:
        wasted = pieces.report(pieces.measure(_of_pieces(calls, partner_id), OF_ONE_PIECE))
    finally:
        app.services.transactions.run(_delete_created)
        app.services.catalog.stop()
        app.services.recorder.stop()
    for sentence in wasted:
        print(sentence)
    raise SystemExit(code or bool(wasted))


def report(jobs: dict[str, Job]) -> int:
    """Print the table and return the exit code; ``bare_x`` is the call that ``x`` is compared with."""
    print("| call | ms | queries | beside the bare call |\n| --- | ---: | ---: | ---: |")
    for name, job in jobs.items():
        bare = jobs.get(f"bare_{name}")
        beside = f"{job.milliseconds / bare.milliseconds - 1:+.0%}" if bare else ""
        print(f"| {job.title} | {job.milliseconds:.2f} | {job.queries} | {beside} |")
    added = jobs["search"].milliseconds / jobs["bare_search"].milliseconds - 1
    print(f"\nThe gateway adds {added:.0%} to a search of 80 (limit {LIMIT:.0%}).")
    return 0 if added <= LIMIT else 1


def _jobs(calls: Calls, partner_id: int) -> dict[str, Job]:
    public_id = calls.public_id(partner_id)
    counted = {"fields": ",".join(TWO), "limit": "80"}
    search = {**counted, "count": "none"}
    read = {"fields": ",".join(FIVE)}

    def searching(parameters: dict[str, str]) -> Callable[[], int]:
        return lambda: calls.gateway(SEARCH, lambda do: do.search(parameters))

    return {
        "bare_empty": Job("Odoo: a cursor and one trivial query", lambda: calls.bare(_one_query)),
        "empty": Job("the bridge: a transaction and one trivial query", calls.transaction),
        "nothing": Job("the gateway around nothing", lambda: calls.gateway(SEARCH, lambda do: None)),
        "bare_search": Job("Odoo: search_read, 80 of two fields", lambda: calls.bare(_search)),
        "search": Job("the gateway: search 80, two fields", searching(search)),
        "bare_counted": Job("Odoo: the same and search_count", lambda: calls.bare(_search_and_count)),
        "counted": Job("the gateway: the same, counted", searching(counted)),
        "bare_read": Job("Odoo: read, five fields", lambda: calls.bare(lambda env: _read(env, partner_id))),
        "read": Job("the gateway: read, five fields", lambda: calls.gateway(READ, lambda do: do.read(public_id, read))),
    }


def _of_pieces(calls: Calls, partner_id: int) -> dict[str, Callable[[], int]]:
    """Return the calls that the fast pieces are measured by."""
    public_id = calls.public_id(partner_id)
    two, five, ten = (",".join(fields) for fields in (TWO, FIVE, TEN))
    numbers = itertools.count()

    def search(**parameters: str) -> Callable[[], int]:
        return lambda: calls.gateway(SEARCH, lambda do: do.search({"count": "none", **parameters}))

    def update() -> int:
        phone = {"phone": f"+49 30 {next(numbers)}"}
        return calls.gateway(UPDATE, lambda do: do.update(public_id, phone, {"fields": two}, Condition()))

    def create() -> int:
        return calls.gateway(CREATE, lambda do: do.create({"name": _CREATED}, {"fields": two}))

    return {
        "search 80": search(fields=two, limit="80"),
        "with a many2one's name": search(fields="name,parent_id", limit="80"),
        "search 1,000 of ten fields": search(fields=ten, limit="1000"),
        "a thousand, counted": search(fields=two, limit="80", count="exact", domain='[["ref", ">", "R09900"]]'),
        "page 2, counted": search(fields=two, limit="80", count="exact", offset="80"),
        "page 500 of ten fields": search(fields=ten, limit="80", offset=str(499 * 80)),
        "read": lambda: calls.gateway(READ, lambda do: do.read(public_id, {"fields": five})),
        "update": update,
        "create": create,
    }


def _delete_created(root: Any) -> None:
    root["res.partner"].search([("name", "=", _CREATED)]).unlink()


def _one_query(env: Any) -> int:
    env.cr.execute("SELECT 1")
    return int(env.cr.sql_log_count)


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
    main()
