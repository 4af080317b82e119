"""Clients that follow changes by delta."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from app.web.routing import Gatehouse
from tests.http.conftest import Client

Root = Callable[..., Any]
#: Fields of ``test.record`` that are followed unless it is said which.
FIELDS = ["name", "count", "line_ids", "tag_ids", "partner_id", "company_id", "active", "picture", "title"]


class Follower:
    """A client that keeps a copy of what it is told."""

    #: Waits until all that is committed by now can be told of: transactions of other databases count too.
    settle: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, client: Client, route: str, **parameters: Any) -> None:
        self.client, self.route, self.parameters = client, route, parameters
        self.records: dict[Any, Any] = {}
        self.token = ""
        self.last: list[dict[str, Any]] = []

    def begin(self, *, at_once: bool = False) -> Follower:
        """Make a pass over all records."""
        self.records.clear()
        if not at_once:
            self.settle()
        page = self._get()
        while True:
            self.records |= {record["id"]: record for record in page["records"]}
            if not page["more"]:
                self.token = page["delta_token"]
                return self
            page = self._get(token=page["next_token"])

    def follow(self) -> Follower:
        """Do what has changed."""
        self.last = []
        while True:
            page = self._get(token=self.token)
            for change in page["changes"]:
                self.last.append(change)
                if change["op"] == "upsert":
                    self.records[change["id"]] = change["record"]
                else:
                    self.records.pop(change["id"], None)
            self.token = page["delta_token"]
            if not page["more"]:
                return self

    def told(self, *, at_once: bool = False) -> list[tuple[str, Any]]:
        """Follow, and return what is said of which record; ``at_once`` where a transaction is kept open."""
        if not at_once:
            self.settle()
        self.follow()
        return [(change["op"], change["id"]) for change in self.last]

    def _get(self, **more: Any) -> Any:
        return self.client.result("GET", f"{self.route}/delta", query_string={**self.parameters, **more})


def capture(app: Gatehouse) -> None:
    """Have all captured that is followed; the process's own keeper may be at it."""
    deadline = time.monotonic() + 60
    while app.services.keeper.keep():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def of(mark: str) -> list[Any]:
    return [["name", "=like", f"{mark}%"]]


def make(root: Root, mark: str, *values: dict[str, Any], model: str = "test.record") -> list[int]:
    named = [{"name": f"{mark} {number}", **more} for number, more in enumerate(values)]
    ids: list[int] = root(lambda env: env[model].create(named).ids)
    return ids


def expires(follower: Follower) -> str:
    status, error = follower.client.error("GET", f"{follower.route}/delta", query_string={"token": follower.token})
    assert (status, error["data"]["name"]) == (410, "delta_expired"), error
    reason: str = error["data"]["reason"]
    return reason
