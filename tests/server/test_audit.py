"""The audit and the statistics under the worst and the best of ends: killed workers, and a graceful stop."""

from __future__ import annotations

import http.client
import os
import random
import signal
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path

import psycopg2
import pytest
import requests

from dev.testbed import Testbed
from tests.extent import extent
from tests.server.conftest import serving, wait_until

pytestmark = pytest.mark.live
KILLS = extent(6, 50)
CALLS = extent(2_000, 10_000)


def test_workers_killed_in_the_middle_of_writes_leave_both_change_and_audit_or_neither(
    testbed: Testbed, tmp_path: Path
) -> None:
    with serving(testbed, f"gatehouse_kill_{os.getpid()}", tmp_path / "log") as server:
        cookies = server.session().cookies
        done = threading.Event()
        outcomes: Counter[str] = Counter()

        def write(number: int) -> None:
            turn = 0
            while not done.is_set():
                turn += 1
                body = [{"name": f"killed {number} {turn} {n}"} for n in range(3)]
                try:
                    answer = requests.post(f"{server.url}/api/partner/rest", json=body, cookies=cookies, timeout=20)
                    outcomes[str(answer.status_code)] += 1
                except requests.RequestException:
                    outcomes["cut off"] += 1

        def has_written(times: int) -> bool:
            return outcomes["200"] >= times

        threads = [threading.Thread(target=write, args=(number,), daemon=True) for number in range(4)]
        for thread in threads:
            thread.start()
        chance = random.Random(7)
        kills = 0
        while kills < KILLS:
            wait_until(partial(has_written, outcomes["200"] + 1), 30)  # a worker that is new needs its time
            time.sleep(chance.uniform(0, 0.3))
            for pid in server.worker_pids()[:1]:
                os.kill(pid, signal.SIGKILL)
                kills += 1
        done.set()
        for thread in threads:
            thread.join()
        connection = psycopg2.connect(testbed.dsn(server.database))
        connection.set_session(isolation_level="REPEATABLE READ")  # what was killed may end between two looks
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM res_partner WHERE name LIKE 'killed %'")
            changed = {row[0] for row in cursor.fetchall()}
            cursor.execute(
                "SELECT unnest(record_ids) FROM gatehouse.audit WHERE model = 'res.partner' AND action = 'create'"
            )
            audited = [row[0] for row in cursor.fetchall()]
        connection.close()
        assert outcomes["200"] >= KILLS, outcomes
        assert outcomes["cut off"] > 0, outcomes
        assert len(audited) == len(set(audited))
        assert set(audited) == changed


def test_the_statistics_of_thousands_of_calls_are_exact_after_a_graceful_stop(testbed: Testbed, tmp_path: Path) -> None:
    database = f"gatehouse_count_{os.getpid()}"
    with serving(testbed, database, tmp_path / "log") as server:
        sid = server.session().cookies["session_id"]
        statuses: Counter[int] = Counter()

        def call(count: int) -> None:
            connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)
            mine: Counter[int] = Counter()
            for n in range(count):
                path = (
                    "/api/partner/rest/made-up" if n % 10 == 0 else "/api/partner/rest?limit=1&count=none&fields=name"
                )
                connection.request("GET", path, headers={"Cookie": f"session_id={sid}"})
                answer = connection.getresponse()
                answer.read()
                mine[answer.status] += 1
            connection.close()
            statuses.update(mine)

        threads = [threading.Thread(target=call, args=(CALLS // 4,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        assert statuses == {200: CALLS * 9 // 10, 404: CALLS // 10}
        connection = psycopg2.connect(testbed.dsn(database))
        with connection.cursor() as cursor:
            cursor.execute("SELECT status, count(*) FROM gatehouse.request_log GROUP BY status")
            assert dict(cursor.fetchall()) == statuses
            for table in ("rollup_minute", "rollup_hour", "rollup_day"):
                for dimension in ("api", "endpoint"):
                    cursor.execute(
                        f"SELECT failed, sum(calls)::int FROM gatehouse.{table} WHERE dimension = %s GROUP BY failed",
                        (dimension,),
                    )
                    assert dict(cursor.fetchall()) == {False: statuses[200], True: statuses[404]}, table
        connection.close()
