"""``make image``: the image of deploy/Dockerfile, built and run; for root on Debian, and not a part of ``make test``.

The base is Debian with its Python and pip, made by mmdebstrap, and Odoo comes from source.
"""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
import requests

from dev import apt, odoo_source
from dev.testbed import Testbed
from tests.packages import program
from tests.server.conftest import ROOT, free_port, wait_until

pytestmark = [pytest.mark.live, pytest.mark.timeout(1800)]
BASE, IMAGE, SOURCE = "localhost/gatehouse-base", "localhost/gatehouse-test", "/opt/odoo"
ADDONS = "/opt/gatehouse/odoo_bridge/addons"
REQUIREMENTS = "-r requirements.txt -r requirements-odoo.txt"
DEFINITIONS = """
apis:
- name: Countries
  route: /api/countries
  published: true
  authentication: public
  models: [{model: res.country, fields: [name, code]}]
"""


def _run(*command: str | Path, text: str | None = None) -> str:
    done = subprocess.run([*map(str, command)], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def _limits() -> list[str]:
    """Return limits that may be set here: containers get higher ones by default than this process may have."""
    files, processes = (resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
    return [f"--ulimit=nofile={files}:{files}", f"--ulimit=nproc={processes}:{processes}"]


@dataclass
class Podman:
    """Podman with images of its own."""

    folder: Path

    def storage(self) -> list[str]:
        """Return the options that name its folders."""
        return [f"--root={self.folder / 'images'}", f"--runroot={self.folder / 'run'}", "--storage-driver=overlay"]

    def __call__(self, *arguments: str | Path, text: str | None = None) -> str:
        """Run a command of podman; return what it prints."""
        options = [*self.storage(), f"--runtime={program('runc', 'runc')}"]
        return _run(program("podman", "podman"), *options, *arguments, text=text)


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """Podman, with Gatehouse's image."""
    podman = Podman(tmp_path_factory.mktemp("image"))
    base, mirror = podman.folder / "base.tar", apt.choose_mirror(_run("apt-get", "indextargets"))
    assert mirror is not None, "This machine's apt knows no mirror of Debian: apt-get update"
    packages = "--include=python3,python3-pip,ca-certificates,passwd"
    _run(program("mmdebstrap", "mmdebstrap"), "--variant=apt", packages, "trixie", base, mirror.uri)
    podman("import", base, BASE)
    arguments = {"BASE": BASE, "REQUIREMENTS": REQUIREMENTS, "REVISION": "abc"}
    options = ["--format=docker", "--isolation=chroot", *_limits(), f"--tag={IMAGE}"]
    options += [f"--build-arg={name}={value}" for name, value in arguments.items()]
    options += ["--volume=/etc/ssl/certs:/etc/ssl/certs:ro"]  # networks have authorities that this machine knows
    file = f"--file={ROOT / 'deploy' / 'Dockerfile'}"
    _run(program("buildah", "buildah"), *podman.storage(), "build", *options, file, ROOT)
    yield podman
    podman("rmi", "--all", "--force")


@dataclass
class Installation:
    """A database, a data folder and settings, and a port to serve on."""

    podman: Podman
    name: str
    folder: Path
    options: list[str]
    url: str

    def command(self, *arguments: str) -> str:
        """Run a command in a container of its own."""
        return self.podman("run", "--rm", *self.options, IMAGE, *arguments)

    def inside(self, *arguments: str, text: str | None = None) -> str:
        """Run a command in the container that serves."""
        return self.podman("exec", "--interactive", self.name, *arguments, text=text)

    def is_ready(self) -> bool:
        """Whether the server answers that it is."""
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except requests.ConnectionError:
            return False

    def metrics(self, token: str) -> requests.Response:
        """Ask for the metrics."""
        return requests.get(f"{self.url}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=10)

    def set_token(self, token: str) -> None:
        """Write the token of the metrics into the file of settings, in place."""
        lines = [line for line in self.settings.read_text().splitlines() if "TOKEN" not in line]
        self.settings.write_text("\n".join([*lines, f"GATEHOUSE_METRICS_TOKEN={token}", ""]))

    @property
    def settings(self) -> Path:
        """The file of settings."""
        return self.folder / "gatehouse.env"


@pytest.fixture
def installation(podman: Podman, testbed: Testbed, tmp_path: Path) -> Iterator[Installation]:
    """An empty database, as ``docs/containers.md`` begins."""
    name, port = f"gatehouse_image_{os.getpid()}", free_port()
    (tmp_path / "data").mkdir()
    # The container's user has to get to them, whoever it is here.
    (tmp_path / "data").chmod(0o777)
    (tmp_path / "gatehouse.env").write_text(f"PGPASSWORD={testbed.password}\n")
    (tmp_path / "odoo.conf").write_text(f"[options]\naddons_path = {ADDONS}\ndata_dir = /var/lib/odoo\n")
    volumes = {
        tmp_path / "data": "/var/lib/odoo:rw",
        tmp_path / "gatehouse.env": "/run/gatehouse.env:ro",
        tmp_path / "odoo.conf": "/etc/odoo/odoo.conf:ro",
        odoo_source.ensure().package.parent: f"{SOURCE}:ro",
    }
    variables = {
        "GATEHOUSE_ENV_FILE": "/run/gatehouse.env",
        "GATEHOUSE_DATABASE": name,
        "GATEHOUSE_ODOO_SOURCE": SOURCE,
        "GATEHOUSE_BIND": f"127.0.0.1:{port}",
        "PGHOST": testbed.host,
        "PGPORT": str(testbed.port),
        "PGUSER": testbed.user,
    }
    options = ["--network=host", "--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp", "--cap-drop=ALL"]
    options += ["--security-opt=no-new-privileges", *_limits()]
    options += [f"--volume={here}:{there}" for here, there in volumes.items()]
    options += [f"--env={variable}={value}" for variable, value in variables.items()]
    testbed.drop(name)
    connection = psycopg2.connect(testbed.dsn("postgres"))
    connection.autocommit = True
    connection.cursor().execute(f'CREATE DATABASE "{name}"')
    connection.close()
    yield Installation(podman, name, tmp_path, options, f"http://127.0.0.1:{port}")
    podman("rm", "--force", "--ignore", name)
    testbed.drop(name)


def test_the_image_migrates_serves_reloads_and_stops_on_a_read_only_file_system(installation: Installation) -> None:
    here, (old, new) = installation, ("the first of the tokens", "the second of the tokens")
    here.set_token(old)
    odoo = f"set -a; . /run/gatehouse.env; PYTHONPATH={SOURCE} exec python -m odoo -c /etc/odoo/odoo.conf"
    here.command("sh", "-c", f"{odoo} -d {here.name} -i base,gatehouse --stop-after-init --no-http")
    here.command("flask", "db", "upgrade")
    here.podman("run", "--detach", f"--name={here.name}", *here.options, IMAGE)
    wait_until(here.is_ready, 120, lambda: here.podman("logs", here.name))
    assert here.inside("id", "-un") == "odoo\n"
    assert "yes" not in here.inside(
        "sh", "-c", "for at in /opt/gatehouse /etc / /usr; do test -w $at && echo yes; done; true"
    )
    here.inside("sh", "-c", "cat > /tmp/apis.yaml && flask api import /tmp/apis.yaml", text=DEFINITIONS)
    wait_until(lambda: requests.get(f"{here.url}/api/countries?limit=1", timeout=10).ok, 10)
    assert 'revision="abc"' in here.metrics(old).text
    here.set_token(new)
    here.podman("kill", "--signal=HUP", here.name)
    wait_until(lambda: here.metrics(new).ok, 120, lambda: here.podman("logs", here.name))
    here.podman("stop", "--time=90", here.name)
    assert here.podman("inspect", "--format={{.State.ExitCode}}", here.name) == "0\n"
