"""What small files that stand for much cost a worker: its peak of memory."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import requests
from lxml import html

from dev.testbed import Testbed
from tests.http import bombs
from tests.server.conftest import Server, serving
from tests.server.workers import wait_for_api

pytestmark = [pytest.mark.alone, pytest.mark.live, pytest.mark.timeout(240)]

_APIS = """
apis:
- {name: Images, route: /api/images, published: true, models: [{model: test.record, fields: [name, picture, document]}]}
"""
#: Bytes that a worker may take at most for one of them.
_MOST = 64 * 1024 * 1024


def _memory(pid: int, what: str) -> int:
    """Return a number of bytes of /proc/PID/status."""
    found = re.search(rf"{what}:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def _peak_of(server: Server, call: Any) -> tuple[int, requests.Response]:
    """Make a call on both workers, and return what it has taken at most in one, and the last answer."""
    pids = server.worker_pids()
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew (proc(5))
    before = {pid: _memory(pid, "VmRSS") for pid in pids}
    for _ in range(6):
        answer: requests.Response = call()
    return max(_memory(pid, "VmHWM") - before[pid] for pid in pids), answer


def test_a_bomb_costs_a_worker_little_memory(testbed: Testbed, tmp_path: Path) -> None:
    (tmp_path / "apis.yaml").write_text(_APIS)
    with serving(testbed, f"gatehouse_bombs_{os.getpid()}", tmp_path / "log") as server:
        server.flask("api", "import", str(tmp_path / "apis.yaml"))
        session = server.session()

        def post(**values: Any) -> requests.Response:
            return requests.post(
                f"{server.url}/api/images", json={"name": "x", **values}, cookies=session.cookies, timeout=120
            )

        def preview(text: str) -> requests.Response:
            panel = requests.Session()
            panel.cookies.update(session.cookies)
            page = panel.get(f"{server.url}/admin/files/", timeout=60)
            (token, *_) = html.fromstring(page.text).xpath("//form[@enctype]//input[@name='csrf_token']/@value")
            data = {"csrf_token": token, "text": text}
            return panel.post(f"{server.url}/admin/files/preview", data=data, timeout=120)

        wait_for_api(server, "/api/images")
        assert post().status_code == 200
        preview("apis: []")
        # 3.6 thousand million pixels, and 169 million, which Pillow alone would still take.
        huge, large = bombs.encoded(bombs.png(60_000)), bombs.encoded(bombs.png(13_000))
        aliases = "a0: &a0 [x, x]\n" + "".join(
            f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
        )
        calls = {
            "a huge image": lambda: post(picture=huge),
            "a large image": lambda: post(picture=large),
            "a large image in a file": lambda: post(document=large),
            "brackets": lambda: preview("[" * 20_000),
            "aliases": lambda: preview(aliases),
            "aliases in a domain": lambda: preview("apis: [{models: [{domain: [" + "&a [" * 30 + "]" * 30 + "]}]}]"),
        }
        for name, call in calls.items():
            peak, answer = _peak_of(server, call)
            assert answer.status_code == 400, (name, answer.text[:500])
            assert peak < _MOST, f"{name}: {peak / 1e6:.0f} MB"
