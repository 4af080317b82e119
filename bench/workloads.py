"""Workloads that are measured: the same job for each server, in the call that a client would make there."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.policy.context import WITHOUT_CHATTER
from bench.access import BY_NAME, TEN, Access
from bench.clients import FastApi, Gatehouse, Json2, JsonRpc
from bench.database import CREATED
from bench.request import NUMBER, VALUE, Request

PARTNER = "res.partner"
ROUTE = "/api/bench/partner"
#: The API whose writes leave no messages, followers and notifications.
QUIET = "/api/bench/quiet"
BARE_CREATE = "the same, Odoo answering with the id alone"
BARE_UPDATE = "the same, Odoo answering with true alone"
TWO = ("name", "email")
FIVE = ("name", "email", "phone", "street", "city")
#: An order that is the same everywhere; only where the default order would not do.
NEWEST = "id desc"
BULK = 1000
#: For what there is to say of workloads without a server.
NOBODY = Access("", "", "", 0, "", ("1", "2"), ("a", "b"), "")


@dataclass(frozen=True, slots=True)
class Workload:
    """One job. ``requests`` are by line of the table: gatehouse, json2, jsonrpc, floor; for some jobs also fastapi.

    ``slow`` is for calls of a second: few connections, more time. ``writes`` is for those that leave records behind.
    """

    name: str
    title: str
    requests: dict[str, Request]
    slow: bool = False
    writes: bool = False

    def on(self, lines: Container[str]) -> Workload:
        """Return the job for some servers alone."""
        return replace(self, requests={line: call for line, call in self.requests.items() if line in lines})


def every(access: Access) -> list[Workload]:
    """Return all workloads in the order in which they are measured."""
    gatehouse, peers = (
        Gatehouse(access.token),
        (Json2(access.key), JsonRpc(access.database, access.uid, access.password)),
    )
    calls = _Calls(gatehouse, peers, FastApi(access.key), access)
    return [
        *calls.searches(),
        *calls.large_searches(),
        *calls.aggregates(),
        *calls.reads(),
        *calls.creates(),
        *calls.updates(),
        calls.bulk_create(),
        calls.nothing(),
    ]


def names() -> list[str]:
    """Return the names of all workloads."""
    return [job.name for job in every(NOBODY)]


class _Calls:
    def __init__(self, gatehouse: Gatehouse, peers: tuple[Json2, JsonRpc], fastapi: FastApi, access: Access) -> None:
        self.gatehouse = gatehouse
        self.peers = peers
        self.fastapi = fastapi
        self.access = access

    def searches(self) -> list[Workload]:
        """A page of 80. But for one, nobody counts all matches: over 100,000 records that would be most of the work."""
        related: dict[str, Any] = {"name": {}, "parent_id": {"fields": {"name": {}}}}
        return [
            _workload(
                "search_80",
                "search 80, two fields",
                self._get(TWO, limit=80, count="none"),
                self._peers("search_read", domain=[], fields=TWO, limit=80),
                Request("GET", "/search/80/0"),
                self.fastapi.send("GET", "/partners?limit=80"),
            ),
            _workload(
                "search_80_counted",
                "the same with the number of all matches",
                self._get(TWO, limit=80),
                self._peers("web_search_read", domain=[], specification=_specification(TWO), limit=80),
                Request("GET", "/counted/80"),
            ),
            _workload(
                "search_80_related",
                "search 80 with a many2one's name",
                self._get(("name", "parent_id"), limit=80, order=NEWEST, count="none"),
                # With a limit to the count that the page reaches, Odoo does not count.
                self._peers("web_search_read", domain=[], specification=related, limit=80, order=NEWEST, count_limit=1),
                Request("GET", "/related/80"),
            ),
        ]

    def large_searches(self) -> list[Workload]:
        """Few of very many records, a page far behind, and a large one; uncounted too."""
        by_ref = [["ref", "=", self.access.ref]]
        page_500 = 499 * 80
        return [
            _workload(
                "search_10_of_100000",
                "search that matches 10 of 100,000",
                self._get(TWO, domain=json.dumps(by_ref), limit=80, count="none"),
                self._peers("search_read", domain=by_ref, fields=TWO, limit=80),
                Request("GET", f"/ref/{self.access.ref}"),
            ),
            _workload(
                "search_page_500",
                "page 500 of a search of ten fields",
                self._get(TEN, limit=80, offset=page_500, count="none"),
                self._peers("search_read", domain=[], fields=TEN, limit=80, offset=page_500),
                Request("GET", f"/ten/80/{page_500}"),
            ),
            _workload(
                "walk_page_500",
                "page 500 by cursor",
                self._get(TEN, limit=80, order=BY_NAME, paging="cursor", cursor=self.access.cursor),
                self._peers("search_read", domain=[], fields=TEN, limit=80, offset=page_500),
                Request("GET", f"/ten/80/{page_500}"),
            ),
            _workload(
                "search_1000",
                "search 1,000 of ten fields",
                self._get(TEN, limit=1000, count="none"),
                self._peers("search_read", domain=[], fields=TEN, limit=1000),
                Request("GET", "/ten/1000/0"),
            ),
        ]

    def aggregates(self) -> list[Workload]:
        """Counts in groups: of some records that an index finds, and of all."""
        by_ref = [["ref", "in", [f"R{number:05}" for number in range(100, 110)]]]
        return [
            self._aggregate("aggregate_100", "count 100 of 100,000 by city", by_ref, "/groups/100"),
            self._aggregate("aggregate_all", "count all by city", [], "/groups"),
        ]

    def _aggregate(self, name: str, title: str, domain: list[Any], floor: str) -> Workload:
        ours = self.gatehouse.get(
            f"{ROUTE}/aggregate", group="city", aggregates="__count", limit=1000, domain=json.dumps(domain)
        )
        theirs = self._peers("formatted_read_group", domain=domain, groupby=["city"], aggregates=["__count"])
        return _workload(name, title, ours, theirs, Request("GET", floor))

    def reads(self) -> list[Workload]:
        """Reads of one record."""
        access = self.access
        fields = ",".join(FIVE)
        unchanged = self.gatehouse.get(f"{ROUTE}/{VALUE}", headers={"If-None-Match": access.etag}, fields=fields)
        read = self._peers("read", [VALUE], fields=FIVE)
        first = access.ids[:1]
        return [
            _workload(
                "read_1",
                "read one record",
                self._each(self.gatehouse.get(f"{ROUTE}/{VALUE}", fields=fields)),
                self._each_of(read),
                self._each(Request("GET", f"/partner/{VALUE}")),
                self._each(self.fastapi.send("GET", f"/partners/{VALUE}")),
            ),
            _workload(
                "read_304",
                "304 on an unchanged record",
                replace(unchanged, status=304, values=access.public_ids[:1]),
                {name: replace(call, values=first) for name, call in read.items()},
                Request("GET", f"/unchanged/{VALUE}", status=304, values=first),
            ),
        ]

    def creates(self) -> list[Workload]:
        """Creates of one record, answered with what is stored as far as the server does that in one call."""
        values = {"name": f"{CREATED}{NUMBER}", "email": f"bench{NUMBER}@example.com"}
        saving: dict[str, Any] = {"vals": values, "specification": _specification(TWO)}
        create, quiet = self._both("POST", f"?fields={','.join(TWO)}", values)
        saved = self._peers("web_save", [], **saving)
        created = self._peers("create", vals_list=[values])
        silent = self._peers("web_save", [], **saving, context=dict(WITHOUT_CHATTER))
        floor = _json("POST", "/partner", values)
        fastapi = self.fastapi.send("POST", "/partners", values)
        return [
            _workload("create_1", "create one", create, saved, floor, fastapi, writes=True),
            _workload("create_1_bare", BARE_CREATE, create, created, floor, writes=True),
            _workload("create_1_quiet", "create one without chatter", quiet, silent, floor, writes=True),
        ]

    def updates(self) -> list[Workload]:
        """Updates of one record, answered in the same way."""
        phone = {"phone": f"+1 555 {NUMBER}"}
        saving: dict[str, Any] = {"vals": phone, "specification": _specification(("name", "phone"))}
        update, quiet = map(self._each, self._both("PATCH", f"/{VALUE}?fields=name,phone", phone))
        saved = self._each_of(self._peers("web_save", [VALUE], **saving))
        written = self._each_of(self._peers("write", [VALUE], vals=phone))
        silent = self._each_of(self._peers("web_save", [VALUE], **saving, context=dict(WITHOUT_CHATTER)))
        floor = self._each(_json("PATCH", f"/partner/{VALUE}", phone))
        fastapi = self._each(self.fastapi.send("PATCH", f"/partners/{VALUE}", phone))
        return [
            _workload("update_1", "update one", update, saved, floor, fastapi, writes=True),
            _workload("update_1_bare", BARE_UPDATE, update, written, floor, writes=True),
            _workload("update_1_quiet", "update one without chatter", quiet, silent, floor, writes=True),
        ]

    def _both(self, method: str, path: str, body: object) -> tuple[Request, Request]:
        """Return a request to the API that is as Odoo is, and to the one without chatter."""
        usual, quiet = (self.gatehouse.send(method, f"{route}{path}", body) for route in (ROUTE, QUIET))
        return usual, quiet

    def bulk_create(self) -> Workload:
        """Creates of many records."""
        many = [{"name": f"{CREATED}{n}", "email": f"bench{n}@example.com"} for n in range(BULK)]
        return _workload(
            "create_1000",
            "create 1,000 in one call",
            self.gatehouse.send("POST", f"{ROUTE}?fields=id", many),
            self._peers("create", vals_list=many),
            _json("POST", "/partners", many),
            slow=True,
            writes=True,
        )

    def nothing(self) -> Workload:
        """A method that does nothing but name its arguments."""
        return _workload(
            "rpc_nothing",
            "RPC that does nothing",
            self.gatehouse.send("POST", "/api/bench/method", {}),
            self._peers("echo", [], model="test.record"),
            _json("POST", "/nothing", {}),
            self.fastapi.send("POST", "/method", {}),
        )

    def _get(self, fields: Sequence[str], **parameters: Any) -> Request:
        return self.gatehouse.get(ROUTE, fields=",".join(fields), **parameters)

    def _peers(
        self, method: str, ids: Sequence[object] | None = None, *, model: str = PARTNER, **arguments: object
    ) -> dict[str, Request]:
        json2, jsonrpc = (peer.call(model, method, ids, **arguments) for peer in self.peers)
        return {"json2": json2, "jsonrpc": jsonrpc}

    def _each(self, request: Request) -> Request:
        """Let the request be for one of many records; the first is kept for what must not change."""
        public = request.path.startswith((ROUTE, QUIET))
        return replace(request, values=(self.access.public_ids if public else self.access.ids)[1:])

    def _each_of(self, requests: dict[str, Request]) -> dict[str, Request]:
        return {name: self._each(request) for name, request in requests.items()}


def _workload(
    name: str,
    title: str,
    gatehouse: Request,
    peers: dict[str, Request],
    floor: Request,
    fastapi: Request | None = None,
    **marks: bool,
) -> Workload:
    further = {} if fastapi is None else {"fastapi": fastapi}
    return Workload(name, title, {"gatehouse": gatehouse, **peers, "floor": floor, **further}, **marks)


def _specification(fields: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {name: {} for name in fields}


def _json(method: str, path: str, body: object) -> Request:
    return Request(method, path, {"Content-Type": "application/json"}, json.dumps(body))
