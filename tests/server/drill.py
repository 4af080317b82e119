"""A server for drills: things fail beside it."""

from __future__ import annotations

import contextlib
import os
import re
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from dev import databases
from dev.testbed import Testbed
from tests.server.commands import run_flask
from tests.server.conftest import Server, clone_served, environment_of, gunicorn
from tests.server.tcp_proxy import Proxy

_APIS = """
apis:
- {name: Images, route: /api/images, published: true, models: [{model: res.partner, fields: [name, image_1920]}]}
- {name: Everything, route: /api/everything, published: true, models: [{model: res.partner, fields: all}]}
"""


@dataclass
class Drill:
    """A server whose PostgreSQL is behind a proxy, and whose data_dir is its own."""

    server: Server
    proxy: Proxy
    data_dir: Path

    def get(self, path: str) -> requests.Response:
        """Call on a connection of its own."""
        return requests.get(f"{self.server.url}{path}", cookies=self.server.session().cookies, timeout=60)

    def filestore(self) -> set[Path]:
        """The files of the filestore."""
        folder = databases.filestore(self.data_dir, self.server.database)
        return {path for path in folder.glob("??/*") if path.is_file()}


@contextlib.contextmanager
def drilling(testbed: Testbed, folder: Path, **settings: str) -> Iterator[Drill]:
    """Run such a server on a copy of the template; ``folder`` is empty."""
    database, data_dir, conf = f"gatehouse_drill_{os.getpid()}", folder / "data", folder / "odoo.conf"
    (folder / "apis.yaml").write_text(_APIS)
    clone_served(testbed, database)
    try:
        filestore = databases.filestore(data_dir, database)
        filestore.parent.mkdir(parents=True)
        filestore.symlink_to(databases.filestore(testbed.data_dir, database))
        with Proxy(testbed.host, testbed.port) as proxy:
            text = re.sub(r"(?m)^db_port = .*", f"db_port = {proxy.port}", testbed.odoo_conf.read_text())
            conf.write_text(re.sub(r"(?m)^data_dir = .*", f"data_dir = {data_dir}", text))
            environment = environment_of(testbed, database)
            run_flask(["api", "import", str(folder / "apis.yaml")], environment)
            with gunicorn(testbed, database, folder / "log", GATEHOUSE_ODOO_CONF=str(conf), **settings) as server:
                yield Drill(server, proxy, data_dir)
    finally:
        testbed.drop(database)


@contextlib.contextmanager
def no_room(server: Server, size: int) -> Iterator[None]:
    """Let the workers write no file larger than that, as on a disk that has no more room."""
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in server.worker_pids()}
    for pid, (_, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    yield
    for pid, limit in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)
