"""A server as in deploy/Dockerfile's image: process 1, without rights, on a file system that nobody can write to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from dev.testbed import Testbed
from tests.packages import program
from tests.server.conftest import ROOT, Server, clone_served, environment_of, free_port, wait_until

pytestmark = pytest.mark.live


@dataclass
class Contained:
    """A server, and the process id that its process 1 has outside."""

    server: Server
    pid: int

    def is_up(self) -> bool:
        """Whether it answers; one that has ended fails the test."""
        assert self.server.process.poll() is None, self.server.log.read_text()[-3000:]
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"{self.server.url}/readyz", timeout=5).ok
        return False

    def children(self) -> set[str]:
        """Return the process ids of the workers."""
        return set(Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split())


def _walls(testbed: Testbed) -> list[str]:
    """Return what bubblewrap is told: all can be read, Odoo's data folder and memory can be written."""
    options = "--unshare-user --uid 1000 --gid 1000 --unshare-pid --as-pid-1 --die-with-parent --ro-bind / /"
    walls = [*options.split(), "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for path in (ROOT, Path(sys.prefix).resolve(), testbed.odoo_source):  # one of them may be below /tmp
        if path is not None:
            walls += ["--ro-bind", str(path), str(path)]
    return [*walls, "--bind", str(testbed.data_dir), str(testbed.data_dir)]


@pytest.fixture(scope="module")
def contained(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contained]:
    """A running server behind walls."""
    database, port = f"gatehouse_contained_{os.getpid()}", free_port()
    log = tmp_path_factory.mktemp("contained") / "log"
    clone_served(testbed, database)
    process = None
    try:
        environment = environment_of(testbed, database)
        environment |= {"GATEHOUSE_BIND": f"127.0.0.1:{port}", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [program("bwrap", "bubblewrap"), *_walls(testbed), "--chdir", str(ROOT), sys.executable]
        with log.open("wb") as output:
            command += ["-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        server = Server(f"http://127.0.0.1:{port}", database, environment, process, log)
        inside = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait_until(lambda: process.poll() is not None or inside.read_text(), 20, log.read_text)
        contained = Contained(server, int(inside.read_text()))
        wait_until(contained.is_up, 60, log.read_text)
        yield contained
    finally:
        if process is not None and process.poll() is None:
            process.kill()  # and with it all that is inside
            process.wait()
        testbed.drop(database)


def test_process_1_has_no_rights_and_nothing_to_write_to_but_memory_and_odoos_data(
    contained: Contained, testbed: Testbed
) -> None:
    process = Path(f"/proc/{contained.pid}")
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
    assert status["NSpid"].split()[-1] == "1"
    assert int(status["CapEff"], 16) == 0
    mounts = [line.split() for line in (process / "mountinfo").read_text().splitlines()]
    writable = {fields[4] for fields in mounts if "rw" in fields[5].split(",")}
    assert {place for place in writable if not place.startswith(("/proc", "/dev"))} == {"/tmp", str(testbed.data_dir)}


def test_it_logs_in_reads_and_writes(contained: Contained) -> None:
    session, url = contained.server.session(), f"{contained.server.url}/api/partner/rest"
    record = session.post(url, json={"name": "Contained"}, timeout=10).json()["result"]
    assert session.get(f"{url}/{record['id']}", timeout=10).json()["result"]["name"] == "Contained"
    assert session.delete(f"{url}/{record['id']}", timeout=10).status_code == 200


def test_process_1_reloads_at_sighup_and_ends_at_sigterm(contained: Contained) -> None:
    before = contained.children()
    os.kill(contained.pid, signal.SIGHUP)
    wait_until(
        lambda: len(contained.children()) == 2 and not contained.children() & before,
        60,
        contained.server.log.read_text,
    )
    assert contained.is_up()
    os.kill(contained.pid, signal.SIGTERM)
    assert contained.server.process.wait(60) == 0, contained.server.log.read_text()[-3000:]
