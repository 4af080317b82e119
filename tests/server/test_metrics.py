"""``/metrics``: added up over the workers, and for those who know the token."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from dev.testbed import Testbed
from tests.server.conftest import Server, serving

pytestmark = pytest.mark.live
TOKEN = "an ops person's token"


def _samples(server: Server) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = requests.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_calls_are_added_up_over_all_workers(testbed: Testbed, tmp_path: Path) -> None:
    database = f"gatehouse_metrics_{os.getpid()}"
    with serving(testbed, database, tmp_path / "log", GATEHOUSE_METRICS_TOKEN=TOKEN) as server:
        cookies = server.session().cookies

        def call() -> None:
            for _ in range(20):  # a connection each, so that both workers are asked
                assert requests.get(f"{server.url}/api/partner/rest?limit=1", cookies=cookies, timeout=10).ok

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        requests.get(f"{server.url}/api/partner/rest", headers={"Authorization": "Bearer wrong"}, timeout=10)
        found = _samples(server)
        labels = (("api", "Partners"), ("endpoint", "GET /api/partner/rest"))
        assert found["gatehouse_calls_total", (*labels, ("status", "200"))] == 60
        assert found["gatehouse_calls_total", (*labels, ("status", "401"))] == 1
        assert found["gatehouse_call_seconds_count", (("api", "Partners"),)] == 61
        assert found["gatehouse_credentials_total", (("kind", "bearer"), ("result", "wrong"))] == 1
        assert found["gatehouse_requests_in_flight", ()] == 1
        for token in ("", "Bearer wrong", TOKEN):
            answer = requests.get(f"{server.url}/metrics", headers={"Authorization": token}, timeout=10)
            assert answer.status_code == 404


def test_without_a_token_in_the_settings_there_are_no_metrics(server: Server) -> None:
    for header in ("Bearer ", "Bearer None", ""):
        answer = requests.get(f"{server.url}/metrics", headers={"Authorization": header}, timeout=10)
        assert answer.status_code == 404
