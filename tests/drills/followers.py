"""Clients that keep a copy of records by delta, and what is known of a record where a copy is wrong."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg2
import requests

from tests.server.conftest import Server, wait_until


@dataclass(frozen=True, slots=True)
class Told:
    """An answer of a delta: the end of the token that was sent, the horizon shortly before, and what of whom."""

    token: str
    horizon: int
    lag: float
    more: bool
    seconds: float
    ops: Mapping[int, str]


class Follower:
    """A client that follows one API as one user, in pages of ``limit``."""

    def __init__(self, server: Server, dsn: str, login: str, route: str, limit: int) -> None:
        self.name = f"{login} {route} by {limit}"
        self.login, self.route, self.limit = login, route, limit
        self.records: dict[int, dict[str, Any]] = {}
        self.answers: list[Told] = []
        self.unknown = 0
        self._token, self._is_in_pass = "", True
        self._server, self._session = server, server.session(login)
        self._watching = psycopg2.connect(dsn)
        self._watching.autocommit = True

    def step(self) -> bool:
        """Get the next page and do what it says; return True once all is known as of now."""
        horizon = self._horizon()
        began = time.monotonic()
        page = self._get("/delta", limit=self.limit, **({"token": self._token} if self._token else {}))
        ops = {}
        for record in page.get("records", ()):
            ops[record["id"]] = "page"
            self.records[record["id"]] = plain(record)
        for change in page.get("changes", ()):
            ops[change["id"]] = change["op"]
            if change["op"] == "upsert":
                assert change["record"]["id"] == change["id"]
                self.records[change["id"]] = plain(change["record"])
            elif self.records.pop(change["id"], None) is None:
                self.unknown += 1
        assert len(ops) <= self.limit
        seconds = time.monotonic() - began
        self.answers.append(Told(self._token[-12:], horizon, page["lag"], page["more"], seconds, ops))
        self._token = page["next_token" if "next_token" in page else "delta_token"]
        assert ("next_token" in page) == ("records" in page and page["more"])
        return "changes" in page and not page["more"] and not ops and page["lag"] == 0

    def follow(self, over: threading.Event, pace: random.Random, longest: float) -> None:
        """Get pages until it is over, each some time after the one before."""
        while not over.is_set():
            self.step()
            over.wait(pace.uniform(0, longest))

    def settle(self) -> None:
        """Follow until nothing changes any more: no more pages, nothing told, and no lag."""
        wait_until(self._has_all, 240, lambda: f"{self.name}: {len(self.answers)} pages, {self.answers[-3:]}")

    def _has_all(self) -> bool:
        while not (has_all := self.step()) and self.answers[-1].more:
            pass
        return has_all

    def read(self) -> dict[int, dict[str, Any]]:
        """Return all records as a search gives them."""
        return {record["id"]: plain(record) for page in self._pages() for record in page["records"]}

    def told(self) -> set[int]:
        """Return the ids of all records that anything was told of."""
        return {each for answer in self.answers for each in answer.ops}

    def close(self) -> None:
        """Close the connection."""
        self._watching.close()

    def _pages(self) -> Iterator[Any]:
        page: Any = {"next_cursor": ""}
        while page["next_cursor"] is not None:
            given = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
            page = self._get("", paging="cursor", limit=500, order="id", **given)
            yield page

    def _horizon(self) -> int:
        with self._watching.cursor() as cr:
            cr.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            (found,) = cr.fetchone() or (0,)
            return int(found)

    def _get(self, path: str, **parameters: Any) -> Any:
        url = f"{self._server.url}{self.route}{path}"
        while True:
            answer = requests.get(url, params=parameters, cookies=self._session.cookies, timeout=120)
            if answer.status_code != 503 or self.answers:  # before the first pass, the triggers take a moment
                break
            assert answer.json()["error"]["data"]["name"] == "delta_not_ready", answer.text
            time.sleep(0.2)
        assert answer.status_code == 200, f"{self.name}, {len(self.answers)} pages: {answer.text}"
        return answer.json()["result"]


def plain(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with ids in place of ``[id, name]``: names of others are not followed."""
    return {
        name: value[0] if isinstance(value, list) and len(value) == 2 and isinstance(value[1], str) else value
        for name, value in record.items()
    }


def explain(follower: Follower, found: Mapping[int, Any], sql: Callable[..., list[tuple[Any, ...]]]) -> str:
    """Return what is known of the first records of which a copy is wrong; "" where it is right."""
    kept = follower.records
    wrong = sorted(each for each in kept.keys() | found.keys() if kept.get(each) != found.get(each))
    texts = [f"{follower.name}: {len(wrong)} of {len(found)} records are wrong"] if wrong else []
    for each in wrong[:3]:
        texts += [f"\nrecord {each}", f"  kept  {kept.get(each)}", f"  read  {found.get(each)}"]
        texts += [f"  row   {row}" for row in sql("SELECT to_jsonb(r) FROM test_record r WHERE id = %s", each)]
        texts += [
            f"  page {number}: {answer.ops[each]}, horizon {answer.horizon} or later, "
            f"lag {answer.lag}, more {answer.more}, token {answer.token}"
            for number, answer in enumerate(follower.answers)
            if each in answer.ops
        ]
        texts += [f"  event {row}" for row in sql(_EVENTS, each, *[str(each)] * 2)]
    if wrong:
        horizons = [answer.horizon for answer in follower.answers if answer.ops]
        texts.append(f"  all {len(horizons)} horizons of pages with changes, the last ones: {horizons[-60:]}")
    return "\n".join(texts)


#: The changes of a record, of its lines and tags, of its partners, and of its children.
_EVENTS = """
WITH own AS (
    SELECT * FROM gatehouse.changes WHERE relation = 'test_record'::regclass AND key = %s
), partners AS (
    SELECT (old->>'partner_id')::bigint AS id FROM own
    UNION SELECT partner_id FROM test_record WHERE id IN (SELECT key FROM own)
)
SELECT xid::text, seq, at::time::text, relation::regclass::text, op, key, key2, fields, old FROM own
UNION ALL
SELECT xid::text, seq, at::time::text, relation::regclass::text, op, key, key2, fields, old FROM gatehouse.changes
WHERE relation = 'res_partner'::regclass AND key IN (SELECT id FROM partners)
   OR relation = 'test_record_test_tag_rel'::regclass AND key IN (SELECT key FROM own)
   OR relation = 'test_line'::regclass AND (
       old->>'record_id' = %s OR key IN (SELECT id FROM test_line WHERE record_id IN (SELECT key FROM own)))
   OR relation = 'test_record'::regclass AND old->>'parent_id' = %s
ORDER BY 2
"""
