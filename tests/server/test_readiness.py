"""What a load balancer and ops see of a live server whose disk or database fails."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from dev import databases
from dev.testbed import Testbed
from tests.pages import blocks
from tests.server.conftest import wait_until
from tests.server.drill import Drill, drilling, no_room

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
TOKEN = "for-the-load-balancer"


@pytest.fixture(scope="module")
def drill(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """The server that these tests share."""
    with drilling(testbed, tmp_path_factory.mktemp("ready"), GATEHOUSE_METRICS_TOKEN=TOKEN) as found:
        yield found


def wrong(drill: Drill) -> set[str]:
    """Return the names of all that is wrong, as ops are told; a connection of its own reaches either worker."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = requests.get(f"{drill.server.url}/readyz", headers=headers, timeout=60)
    found: dict[str, Any] = answer.json().get("result") or answer.json()["error"]["data"]
    names = {check["name"] for check in found["checks"].values() if check["state"] == "failed"}
    assert answer.status_code == (503 if names else 200)
    return names


def stranger(drill: Drill) -> dict[str, Any]:
    """Return what anybody is told."""
    told: dict[str, Any] = requests.get(f"{drill.server.url}/readyz", timeout=60).json()
    return told


@contextlib.contextmanager
def _no_folder(path: Path) -> Iterator[None]:
    """Put a file in a folder's place: rights would not keep root out."""
    path.rename(path.with_name("away"))
    path.touch()
    try:
        yield
    finally:
        path.unlink()
        path.with_name("away").rename(path)


def test_sessions_that_cannot_be_kept_are_told_and_then_all_is_well(drill: Drill) -> None:
    assert wrong(drill) == set()
    with _no_folder(drill.data_dir / "sessions"):
        wait_until(lambda: wrong(drill) == {"session_store_unavailable"}, 60)
        wait_until(lambda: stranger(drill).get("error", {}).get("message") == "Not ready.", 60)  # of either worker
    wait_until(lambda: wrong(drill) == set(), 60)


def test_a_filestore_that_takes_no_file_is_told(drill: Drill) -> None:
    with _no_folder(databases.filestore(drill.data_dir, drill.server.database)):
        wait_until(lambda: wrong(drill) == {"data_dir_unavailable"}, 60)
    wait_until(lambda: wrong(drill) == set(), 60)


def test_a_full_disk_has_another_name_than_a_database_that_is_away(drill: Drill) -> None:
    with no_room(drill.server, 1000):
        wait_until(lambda: wrong(drill) == {"storage_full"}, 60)
    wait_until(lambda: wrong(drill) == set(), 60)
    drill.proxy.refuse()
    try:
        wait_until(lambda: "database_unavailable" in wrong(drill), 60)
        assert "storage_full" not in wrong(drill)
    finally:
        drill.proxy.forward()
    wait_until(lambda: wrong(drill) == set(), 60)


def test_a_database_that_hangs_holds_up_neither_probe(drill: Drill) -> None:
    drill.proxy.hang()
    try:
        wait_until(lambda: "database_unavailable" in wrong(drill), 60)
        # More at once than there are threads: none of them waits for the network to give up.
        with ThreadPoolExecutor(24) as pool:
            urls = [f"{drill.server.url}/{path}" for path in ("readyz", "healthz") for _ in range(12)]
            answers = list(pool.map(lambda url: requests.get(url, timeout=60).status_code, urls))
        assert answers == [503] * 12 + [200] * 12
    finally:
        drill.proxy.forward()
    wait_until(lambda: wrong(drill) == set(), 60)


def test_ops_ask_as_docs_readiness_says(drill: Drill) -> None:
    (ask,) = blocks("readiness", "sh", "Ready or not")
    script = f"TOKEN={TOKEN}\n{ask}".replace("http://127.0.0.1:8070", drill.server.url)
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True)
    (shown,) = blocks("readiness", "json", "Ready or not")
    told = json.loads(done.stdout)["result"]["checks"]
    assert set(re.findall(r'"(\w+)": \{"state"', shown)) <= told.keys()
