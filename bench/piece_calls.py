"""The calls that the fast pieces are judged by (``bench.pieces.CALLS_OF``)."""

from __future__ import annotations

import itertools

from app.operations.actions import CREATE, READ, SEARCH, UPDATE
from app.operations.bulk import Bulk
from app.operations.versions import Condition
from bench.access import TEN
from bench.gateway_calls import Calls
from bench.pieces import CREATED, Work
from bench.wire import Wire, post
from bench.workloads import BULK, FIVE, TWO


def works(calls: Calls, partner_id: int, wire: Wire, token: str) -> dict[str, Work]:
    """Return the calls by their titles; those that write are made on one partner, or make others."""
    public_id = calls.public_id(partner_id)
    two, five, ten = (",".join(fields) for fields in (TWO, FIVE, TEN))
    numbers = itertools.count()
    many = [{"name": CREATED, "email": f"bench{number}@example.com"} for number in range(BULK)]
    request = post("/api/bench/method", token, b"{}")

    def search(**parameters: str) -> Work:
        return Work(lambda: calls.gateway(SEARCH, lambda do: do.search({"count": "none", **parameters})))

    def update() -> int:
        phone = {"phone": f"+49 30 {next(numbers)}"}
        return calls.gateway(UPDATE, lambda do: do.update(public_id, phone, {"fields": two}, Condition()))

    def create() -> int:
        return calls.gateway(CREATE, lambda do: do.create({"name": CREATED}, {"fields": two}))

    def create_many() -> int:
        return calls.gateway(CREATE, lambda do: Bulk(do).create(many, {"fields": "id"}))

    return {
        "search 80": search(fields=two, limit="80"),
        "search 80 with a many2one's name": search(fields="name,parent_id", limit="80"),
        "search 80 with a computed field": search(fields=f"{ten},display_name", limit="80"),
        "search 1,000 of ten fields": search(fields=ten, limit="1000"),
        "page 500 of ten fields": search(fields=ten, limit="80", offset=str(499 * 80)),
        "page 2, counted": search(fields=two, limit="80", count="exact", offset="80"),
        "a thousand, counted": search(fields=two, limit="80", count="exact", domain='[["ref", ">", "R09900"]]'),
        "read": Work(lambda: calls.gateway(READ, lambda do: do.read(public_id, {"fields": five}))),
        "update": Work(update),
        "create": Work(create),
        "create 1,000": Work(create_many, calls=2, warming=1),
        "RPC that does nothing": Work(calls.method),
        "RPC by HTTP, in process": Work(lambda: wire.call(request), calls=80),
    }
