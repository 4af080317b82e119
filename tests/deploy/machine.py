"""A machine for the walk: a user, Debian's PostgreSQL and nginx, and an Odoo, in one folder and at free ports."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from tests.deploy import odoo_installation, systemctl
from tests.packages import program
from tests.server.conftest import ROOT, free_port

PREFIX = "ghwalk"
DATABASE = "production"
NAME = "api.example.com"
#: Folders of the machine that is played; all others are this machine's own.
PLAYED = "opt/gatehouse|opt/odoo|etc/odoo|etc/gatehouse|etc/systemd/system|etc/nginx|etc/ssl|var/lib/odoo|var/backups"
#: Ports of the files in deploy/, in the forms in which they stand there.
PORTS = ("127.0.0.1:8069", "127.0.0.1:8070", "listen 80", "listen 443")


@dataclass
class Machine:
    """The root of what is played, and the user that runs Odoo there."""

    root: Path
    user: str
    database_port: int
    ports: dict[str, int] = field(default_factory=lambda: {text: free_port() for text in PORTS})

    def own(self, text: str) -> str:
        """Return a text of the documentation or of deploy/ with the paths, the user and the ports of this machine."""
        text = re.sub(rf"(?<![\w.])/({PLAYED})\b", rf"{self.root}/\1", text)
        text = text.replace("/usr/bin/systemctl", f"{self.root}/bin/systemctl")
        text = text.replace("tar -C / ", f"tar -C {self.root} ")
        text = re.sub(r"(User=|Group=|-[ug] |root:)odoo\b", rf"\g<1>{self.user}", text)
        text = text.replace("127.0.0.1:8072", "127.0.0.1:8069")  # without workers Odoo has one port
        for old, port in self.ports.items():
            text = re.sub(rf"{old}\b", f"{old.rpartition(':')[0] or 'listen 127.0.0.1'}:{port}", text)
        return text

    def url(self, port: str) -> str:
        """Return the address of a server on this machine, e.g. of "127.0.0.1:8070"."""
        return f"http://127.0.0.1:{self.ports[port]}"

    def sh(self, script: str, *, check: bool = True, cwd: str = "opt/gatehouse") -> subprocess.CompletedProcess[str]:
        """Run a script as root in a new shell, whose files are closed to others if nothing is done about it."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE_")}
        environment |= {"PATH": f"{self.root}/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PGPORT": str(self.database_port)}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"umask 077\n{script}"],
            cwd=self.root / cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )
        assert not check or done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done

    def sql(self, statement: str, database: str = DATABASE) -> str:
        """Run SQL in one of Odoo's databases, as its owner, and return what it gives."""
        quoted = statement.replace("'", "'\\''")
        return self.sh(f"runuser -u {self.user} -- psql -XAt -d {database} -c '{quoted}'", cwd="").stdout.strip()

    def token(self, client: str) -> dict[str, str]:
        """Make a client app of the first API and return the headers of its calls."""
        flask = f"env GATEHOUSE_ENV_FILE={self.root}/etc/gatehouse/gatehouse.env .venv/bin/flask"
        create = f"client create {client} --api Partners --scope search --user admin --json"
        made = json.loads(self.sh(f"runuser -u {self.user} -- {flask} {create}").stdout)
        form = {"grant_type": "client_credentials", **{key: made[key] for key in ("client_id", "client_secret")}}
        answer = requests.post(f"{self.url('127.0.0.1:8070')}/api/oauth2/token", data=form, timeout=60)
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def curl(self, path: str, *options: str) -> str:
        """Call the one address by its name and return the body."""
        port = self.ports["listen 443"]
        command = ["curl", "-sS", "--resolve", f"{NAME}:{port}:127.0.0.1", "--cacert", self.certificate]
        done = subprocess.run(
            [*command, *options, f"https://{NAME}:{port}{path}"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def certificate(self) -> Path:
        """The certificate of the one address."""
        return self.root / "etc" / "ssl" / "certs" / f"{NAME}.pem"


@contextlib.contextmanager
def running() -> Iterator[Machine]:
    """Keep a machine while the block runs; nothing of it is left afterwards."""
    if os.geteuid() != 0:
        pytest.fail("This walk makes a user and a PostgreSQL cluster: run it as root.")
    for name in ("pg_createcluster", "nginx", "openssl", "git", "curl", "runuser"):
        program(
            name, {"pg_createcluster": "postgresql", "nginx": "nginx-light", "runuser": "util-linux"}.get(name, name)
        )
    _sweep()
    user = f"{PREFIX}{os.getpid()}"
    machine = Machine(Path(tempfile.gettempdir()) / user, user, free_port())
    try:
        _make(machine)
        yield machine
    finally:
        _remove(user)


def _make(machine: Machine) -> None:
    root, user = machine.root, machine.user
    folders = ("bin", "run", "opt", "etc/odoo", "etc/systemd/system", "etc/ssl/certs", "etc/ssl/private")
    for name in (*folders, "var/log", "var/lib/odoo", "var/backups"):
        (root / name).mkdir(parents=True, mode=0o755)
    home = root / "var" / "lib" / "odoo"
    _run("useradd", "--system", "--user-group", "--home-dir", home, "--shell", "/usr/sbin/nologin", user)
    shutil.chown(home, user, user)
    home.chmod(0o750)
    for name, line in (
        ("systemctl", f'exec {sys.executable} {systemctl.__file__} {root} "$@"'),
        ("nginx", f'exec /usr/sbin/nginx -c {root}/etc/nginx/nginx.conf "$@"'),
    ):
        (root / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
        (root / "bin" / name).chmod(0o755)
    _cluster(machine)
    _nginx(machine)
    _address(machine)
    odoo_installation.make(machine.root, user, machine.ports["127.0.0.1:8069"], machine.database_port)


def _cluster(machine: Machine) -> None:
    """A cluster as Debian makes it (peer authentication, the socket in its place), with the role of Odoo's user."""
    data = machine.root / "var" / "lib" / "postgresql"
    cluster = ("pg_createcluster", _version(), machine.user, "--datadir", data, "--port", machine.database_port)
    _run(*cluster, "--start", "-o", "fsync=off")
    machine.sh(f"runuser -u postgres -- createuser --createdb {machine.user}", cwd="")


def _nginx(machine: Machine) -> None:
    """Debian's nginx as it is after its installation, the default site included."""
    folder = machine.root / "etc" / "nginx"
    shutil.copytree("/etc/nginx", folder, symlinks=True)
    shutil.rmtree(folder / "conf.d")
    (folder / "conf.d").mkdir()
    for site in (folder / "sites-enabled").iterdir():
        site.unlink()
    (folder / "sites-enabled" / "default").symlink_to(folder / "sites-available" / "default")
    for file in (folder / "nginx.conf", folder / "sites-available" / "default"):
        text = machine.own(file.read_text()).replace("/run/nginx.pid", f"{machine.root}/run/nginx-main.pid")
        text = re.sub(r"^\s*listen \[::\].*$", "", text, flags=re.MULTILINE)
        file.write_text(text.replace("/var/log/nginx", f"{machine.root}/var/log"))
    unit = "[Service]\nExecStart={0} -g 'daemon off;'\nExecReload={0} -s reload\n".format(
        machine.root / "bin" / "nginx"
    )
    (machine.root / "etc" / "systemd" / "system" / "nginx.service").write_text(unit)
    key = machine.root / "etc" / "ssl" / "private" / f"{NAME}.key"
    names = ("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}")
    new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    _run(*new, *names, "-keyout", key, "-out", machine.certificate)


def _address(machine: Machine) -> None:
    """The repository that the code is cloned from: this checkout as it is, deploy/ with the paths of this machine."""
    folder = machine.root / "address"
    ignored = shutil.ignore_patterns(".git", ".venv", ".local", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, folder, ignore=ignored, symlinks=True)
    for file in (folder / "deploy").iterdir():
        if file.is_file():
            file.write_text(machine.own(file.read_text()))
    machine.sh("git init -q -b main", cwd="address")
    commit(machine, "The version of before")


def commit(machine: Machine, subject: str) -> None:
    """Publish a new version at the address."""
    author = "-c user.name=Walk -c user.email=walk@example.com"
    machine.sh(f"git add -A && git {author} commit -qm '{subject}'", cwd="address")


def _version() -> str:
    versions = [path.parent.parent.name for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(versions, key=int)


def _run(*command: object) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def _sweep() -> None:
    """Remove what killed runs have left."""
    for user in [user.pw_name for user in pwd.getpwall() if re.fullmatch(rf"{PREFIX}\d+", user.pw_name)]:
        if not systemctl.alive(int(user.removeprefix(PREFIX))):
            _remove(user)


def _remove(user: str) -> None:
    root = Path(tempfile.gettempdir()) / user
    for pid in (root / "run").glob("*.pid"):
        unit = re.sub("@.*", "@", pid.stem)  # of an instance its template
        if (root / "etc" / "systemd" / "system" / f"{unit}.service").exists():
            systemctl.Unit(root, pid.stem).stop()
    for version in Path("/etc/postgresql").glob(f"*/{user}"):
        subprocess.run(["pg_dropcluster", "--stop", version.parent.name, user], capture_output=True, check=False)
    subprocess.run(["userdel", user], capture_output=True, check=False)
    shutil.rmtree(root, ignore_errors=True)
