"""A walk by cursor through a hundred thousand records, while others write them."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest

from dev.testbed import Testbed
from tests.server.conftest import Server, serving
from tests.server.load import Load
from tests.server.workers import wait_for_api

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

_APIS = """
apis:
- name: Many
  route: /api/many
  published: true
  id_obfuscation: false
  models: [{model: test.record, fields: [name, count, notes]}]
"""
#: Records that stay where they are; a fifth of them has no count.
STAYING = 100_000
#: Records that others change, move and delete, and ids behind all of them for new ones.
OTHERS = 5_000
_FILL = """
INSERT INTO test_record (name, active, count, notes)
SELECT 'staying ' || n, true, CASE n %% 5 WHEN 0 THEN NULL ELSE n %% 97 END, 'x' FROM generate_series(1, %s) n
UNION ALL SELECT 'other ' || n, true, n %% 97, 'x' FROM generate_series(1, %s) n
ORDER BY 1
"""


@pytest.fixture(scope="module")
def many(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose database has many records."""
    folder = tmp_path_factory.mktemp("many")
    with serving(testbed, f"gatehouse_many_{os.getpid()}", folder / "log") as server:
        (folder / "apis.yaml").write_text(_APIS)
        server.flask("api", "import", str(folder / "apis.yaml"))
        with contextlib.closing(psycopg2.connect(testbed.dsn(server.database))) as connection, connection:
            connection.cursor().execute(_FILL, (STAYING, OTHERS))
        wait_for_api(server, "/api/many")
        yield server


class Writer:
    """Somebody who inserts, changes, moves and deletes records, as SQL and through the API."""

    def __init__(self, testbed: Testbed, server: Server, seed: int) -> None:
        self._random = random.Random(seed)
        self._session = server.session()
        self._url = f"{server.url}/api/many"
        self._connection = psycopg2.connect(testbed.dsn(server.database))
        self._connection.autocommit = True
        self._steps = itertools.cycle((self._insert, self._change, self._move, self._delete, self._create))

    def __call__(self) -> str:
        step = next(self._steps)
        step()
        return step.__name__

    def _execute(self, statement: str, *values: Any) -> None:
        self._connection.cursor().execute(statement, values)

    def _insert(self) -> None:
        self._execute(
            "INSERT INTO test_record (name, active, count) SELECT 'new', true, %s FROM generate_series(1, 20)",
            self._random.choice([None, *range(97)]),
        )

    def _change(self) -> None:
        self._execute("UPDATE test_record SET notes = notes || 'y' WHERE id %% 997 = %s", self._random.randrange(997))

    def _move(self) -> None:
        self._execute(
            "UPDATE test_record SET count = (count + 1) %% 97 WHERE name LIKE 'other %%' AND id %% 101 = %s",
            self._random.randrange(101),
        )

    def _delete(self) -> None:
        self._execute(
            "DELETE FROM test_record WHERE name LIKE 'other %%7' AND id %% 53 = %s", self._random.randrange(53)
        )

    def _create(self) -> None:
        answer = self._session.post(self._url, json={"name": "new", "count": self._random.randrange(97)}, timeout=30)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("order", ["id desc", "count, id", "count desc, name"])
def test_each_record_that_stays_is_seen_once_and_none_twice_while_others_write(
    testbed: Testbed, many: Server, order: str
) -> None:
    session = many.session()
    query: dict[str, Any] = {"paging": "cursor", "limit": 1000, "order": order, "fields": "name"}
    seen: list[tuple[int, str]] = []
    with Load([Writer(testbed, many, seed) for seed in range(2)]) as load:
        load.wait_for(5)
        while query.get("cursor", "") is not None:
            answer = session.get(f"{many.url}/api/many", params=query, timeout=60)
            assert answer.status_code == 200, answer.text
            page = answer.json()["result"]
            seen += [(record["id"], record["name"]) for record in page["records"]]
            query["cursor"] = page["next_cursor"]
        load.wait_for(5)
    staying = [record_id for record_id, name in seen if name.startswith("staying ")]
    assert len(staying) == len(set(staying)) == STAYING
    unmoved = [record_id for record_id, name in seen if not name.startswith("other ")]
    assert len(unmoved) == len(set(unmoved))
    assert set(load.since(0)) == {"_insert", "_change", "_move", "_delete", "_create"}
