"""Workloads that are measured: the same job for each server, in the call that a client would make there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.access import Access
from bench.clients import Gatehouse, Json2, JsonRpc
from bench.database import CREATED
from bench.request import NUMBER, VALUE, Request

PARTNER = "res.partner"
ROUTE = "/api/bench/partner"
TWO = ("name", "email")
FIVE = ("name", "email", "phone", "street", "city")
TEN = ("name", "email", "phone", "street", "city", "zip", "ref", "is_company", "country_id", "create_date")
#: An order that is the same everywhere; only where the default order would not do.
NEWEST = "id desc"
BULK = 1000


@dataclass(frozen=True, slots=True)
class Workload:
    """One job. ``requests`` are by server: gatehouse, json2, jsonrpc, floor.

    ``slow`` is for calls of a second: few connections, more time. ``writes`` is for those that leave records behind.
    """

    name: str
    title: str
    requests: dict[str, Request]
    slow: bool = False
    writes: bool = False


def every(access: Access) -> list[Workload]:
    """Return all workloads in the order in which they are measured."""
    gatehouse, peers = (
        Gatehouse(access.token),
        (Json2(access.key), JsonRpc(access.database, access.uid, access.password)),
    )
    calls = _Calls(gatehouse, peers, access)
    return [*calls.searches(), *calls.reads(), *calls.writes(), calls.nothing()]


def names() -> list[str]:
    """Return the names of all workloads."""
    return [job.name for job in every(Access("", "", "", 0, "", ("1", "2"), ("a", "b"), ""))]


class _Calls:
    def __init__(self, gatehouse: Gatehouse, peers: tuple[Json2, JsonRpc], access: Access) -> None:
        self.gatehouse = gatehouse
        self.peers = peers
        self.access = access

    def searches(self) -> list[Workload]:
        """Searches. But for one, nobody counts all matches: over 100,000 records that would be most of the work."""
        related: dict[str, Any] = {"name": {}, "parent_id": {"fields": {"name": {}}}}
        by_ref = [["ref", "=", self.access.ref]]
        page_500 = 499 * 80
        return [
            Workload(
                "search_80",
                "search 80, two fields",
                {
                    "gatehouse": self._get(TWO, limit=80, count="none"),
                    **self._peers("search_read", domain=[], fields=TWO, limit=80),
                    "floor": Request("GET", "/search/80/0"),
                },
            ),
            Workload(
                "search_80_counted",
                "the same with the number of all matches",
                {
                    "gatehouse": self._get(TWO, limit=80),
                    **self._peers("web_search_read", domain=[], specification={n: {} for n in TWO}, limit=80),
                    "floor": Request("GET", "/counted/80"),
                },
            ),
            Workload(
                "search_80_related",
                "search 80 with a many2one's name",
                {
                    "gatehouse": self._get(("name", "parent_id"), limit=80, order=NEWEST, count="none"),
                    # With a limit to the count that the page reaches, Odoo does not count.
                    **self._peers(
                        "web_search_read", domain=[], specification=related, limit=80, order=NEWEST, count_limit=1
                    ),
                    "floor": Request("GET", "/related/80"),
                },
            ),
            Workload(
                "search_10_of_100000",
                "search that matches 10 of 100,000",
                {
                    "gatehouse": self._get(TWO, domain=json.dumps(by_ref), limit=80, count="none"),
                    **self._peers("search_read", domain=by_ref, fields=TWO, limit=80),
                    "floor": Request("GET", f"/ref/{self.access.ref}"),
                },
            ),
            Workload(
                "search_page_500",
                "page 500 of a search",
                {
                    "gatehouse": self._get(TWO, limit=80, offset=page_500, count="none"),
                    **self._peers("search_read", domain=[], fields=TWO, limit=80, offset=page_500),
                    "floor": Request("GET", f"/search/80/{page_500}"),
                },
            ),
            Workload(
                "search_1000",
                "search 1,000 of ten fields",
                {
                    "gatehouse": self._get(TEN, limit=1000, count="none"),
                    **self._peers("search_read", domain=[], fields=TEN, limit=1000),
                    "floor": Request("GET", "/ten/1000"),
                },
            ),
        ]

    def reads(self) -> list[Workload]:
        """Reads of one record."""
        access = self.access
        first_public, first = access.public_ids[:1], access.ids[:1]
        unchanged = self.gatehouse.get(
            f"{ROUTE}/{VALUE}", headers={"If-None-Match": access.etag}, fields=",".join(FIVE)
        )
        return [
            Workload(
                "read_1",
                "read one record",
                {
                    "gatehouse": self._each(self.gatehouse.get(f"{ROUTE}/{VALUE}", fields=",".join(FIVE))),
                    **{name: self._each(call) for name, call in self._peers("read", [VALUE], fields=FIVE).items()},
                    "floor": self._each(Request("GET", f"/partner/{VALUE}")),
                },
            ),
            Workload(
                "read_304",
                "304 on an unchanged record",
                {
                    "gatehouse": replace(unchanged, status=304, values=first_public),
                    **{
                        name: replace(call, values=first)
                        for name, call in self._peers("read", [VALUE], fields=FIVE).items()
                    },
                    "floor": Request("GET", f"/unchanged/{VALUE}", status=304, values=first),
                },
            ),
        ]

    def writes(self) -> list[Workload]:
        """Creates and updates, answered with what is stored as far as the server does that in one call."""
        values = {"name": f"{CREATED}{NUMBER}", "email": f"bench{NUMBER}@example.com"}
        many = [{"name": f"{CREATED}{n}", "email": f"bench{n}@example.com"} for n in range(BULK)]
        phone = {"phone": f"+1 555 {NUMBER}"}
        two, shown = ",".join(TWO), "name,phone"
        create = self.gatehouse.send("POST", f"{ROUTE}?fields={two}", values)
        update = self._each(self.gatehouse.send("PATCH", f"{ROUTE}/{VALUE}?fields={shown}", phone))
        floor_create = _json("POST", "/partner", values)
        floor_update = self._each(_json("PATCH", f"/partner/{VALUE}", phone))
        saved = self._peers("web_save", [VALUE], vals=phone, specification=_specification(("name", "phone")))
        written = self._peers("write", [VALUE], vals=phone)
        return [
            Workload(
                "create_1",
                "create one",
                {
                    "gatehouse": create,
                    **self._peers("web_save", [], vals=values, specification=_specification(TWO)),
                    "floor": floor_create,
                },
                writes=True,
            ),
            Workload(
                "create_1_bare",
                "the same, Odoo answering with the id alone",
                {"gatehouse": create, **self._peers("create", vals_list=[values]), "floor": floor_create},
                writes=True,
            ),
            Workload(
                "update_1",
                "update one",
                {
                    "gatehouse": update,
                    **{name: self._each(call) for name, call in saved.items()},
                    "floor": floor_update,
                },
                writes=True,
            ),
            Workload(
                "update_1_bare",
                "the same, Odoo answering with true alone",
                {
                    "gatehouse": update,
                    **{name: self._each(call) for name, call in written.items()},
                    "floor": floor_update,
                },
                writes=True,
            ),
            Workload(
                "create_1000",
                "create 1,000 in one call",
                {
                    "gatehouse": self.gatehouse.send("POST", f"{ROUTE}?fields=id", many),
                    **self._peers("create", vals_list=many),
                    "floor": _json("POST", "/partners", many),
                },
                slow=True,
                writes=True,
            ),
        ]

    def nothing(self) -> Workload:
        """A method that does nothing but name its arguments."""
        calls = self._peers("echo", [], model="test.record")
        return Workload(
            "rpc_nothing",
            "RPC that does nothing",
            {
                "gatehouse": self.gatehouse.send("POST", "/api/bench/method", {}),
                **calls,
                "floor": _json("POST", "/nothing", {}),
            },
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
        public = request.path.startswith(ROUTE)
        return replace(request, values=(self.access.public_ids if public else self.access.ids)[1:])


def _specification(fields: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {name: {} for name in fields}


def _json(method: str, path: str, body: object) -> Request:
    return Request(method, path, {"Content-Type": "application/json"}, json.dumps(body))
