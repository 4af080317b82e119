"""`python -m dev serve`, which is `make serve` once `.venv` is there: a set-up of its own in another folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dev import paths
from dev.testbed import Testbed
from tests.server.receivers import receiving

pytestmark = [pytest.mark.alone, pytest.mark.live, pytest.mark.timeout(240)]
COMMAND = [sys.executable, "-m", "dev", "serve"]


class Serve:
    """A set-up in a folder of its own, and the command that serves it: started, read from, stopped."""

    def __init__(self, folder: Path, testbed: Testbed) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.folder = folder
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("GATEHOUSE_", "FLASK_"))}
        self.env |= {"GATEHOUSE_LOCAL": str(folder), "GATEHOUSE_BIND": self.address}
        if testbed.odoo_source is not None:
            self.env["GATEHOUSE_ODOO_SOURCE"] = str(testbed.odoo_source)
        self.process: subprocess.Popen[str] | None = None
        self.lines: list[str] = []

    def start(self) -> float:
        """Start the command unless it runs; return the seconds that it took until it serves."""
        if self.process is not None and self.process.poll() is None:
            return 0.0
        began, self.lines = time.monotonic(), []
        self.process = subprocess.Popen(
            COMMAND,
            cwd=paths.ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=[self.process], daemon=True).start()
        wait(lambda: self.pasted(2) or self.ended(), 180, lambda: self.output)
        assert not self.ended(), self.output
        return time.monotonic() - began

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.lines.extend(iter(process.stdout.readline, ""))
        process.stdout.close()

    @property
    def output(self) -> str:
        """All that it has printed."""
        return "".join(self.lines)

    def ended(self) -> bool:
        """Whether the command has ended."""
        return self.process is not None and self.process.poll() is not None

    def pasted(self, count: int) -> list[str]:
        """The command lines that it printed, or [] while there are fewer than `count` of them."""
        lines = [line.rstrip("\n") for line in list(self.lines) if line.startswith("curl ") and line.endswith("\n")]
        return lines if len(lines) >= count else []

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, as a terminal's Ctrl-C does, and return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def processes(self) -> dict[int, str]:
        """The processes that belong to the set-up: its folder is on their command line or in their environment."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                texts = [content(entry / "cmdline"), content(entry / "environ")]
                if any(os.fsencode(self.folder) in text for text in texts):
                    found[int(entry.name)] = texts[0].replace(b"\0", b" ").decode()
        return found


def content(path: Path) -> bytes:
    """Return a file's content, nothing where it can't be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def wait(condition: Callable[[], object], seconds: float, message: Callable[[], str] = str) -> None:
    """Return when the condition holds; fail after a time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, message()
        time.sleep(0.05)


def paste(line: str, folder: Path) -> dict[str, object]:
    """Run a command line as a shell does, from any folder, and return the JSON that it prints."""
    done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=30, check=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def setup(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """The set-up that the tests of this module share; each starts the command unless it runs."""
    serve = Serve(tmp_path_factory.mktemp("local set-up") / "local", testbed)  # with a blank, to be quoted
    yield serve
    if serve.process is not None and not serve.ended():
        serve.stop(signal.SIGTERM)


@pytest.fixture
def running(setup: Serve) -> Serve:
    """The set-up, serving."""
    setup.start()
    return setup


def test_the_printed_lines_work_when_pasted(running: Serve, tmp_path: Path) -> None:
    log_in, search = running.pasted(2)
    assert paste(log_in, tmp_path)["result"]["uid"] == 2  # type: ignore[index]
    records = paste(search, tmp_path)["result"]["records"]  # type: ignore[index]
    assert len(records) == 3
    assert all(record["name"] for record in records)
    assert list(tmp_path.iterdir()) == []


def deliverers(serve: Serve) -> list[int]:
    """Return the processes that deliver webhooks."""
    return [pid for pid, command in serve.processes().items() if command.rstrip().endswith("flask webhook run")]


def test_webhooks_are_delivered_to_this_machine_and_by_another_process_where_one_dies(
    running: Serve, tmp_path: Path
) -> None:
    log = running.folder / "log" / "webhooks.log"
    wait(lambda: "Webhooks are followed and delivered" in log.read_text(), 60, log.read_text)
    assert f"also to 127.0.0.0/8 over http. Its log: {log}" in running.output
    (first,) = deliverers(running)
    os.kill(first, signal.SIGKILL)
    said = f"The process that delivers webhooks was ended by signal SIGKILL; it is started again. Its log: {log}\n"
    wait(lambda: said in running.output, 30, lambda: running.output)
    wait(lambda: log.read_text().count("Webhooks are followed and delivered") == 2, 60, log.read_text)
    assert deliverers(running) != [first]
    assert not running.ended()
    document = tmp_path / "apis.yaml"
    document.write_text(
        """
        apis: [{name: Told, route: /api/told, published: true, clients: [Shop], webhooks: true,
                endpoints: {delta: true}, models: [{model: res.partner, fields: [name]}]}]
        clients: [{name: Shop, user: admin, scopes: [search]}]
        """
    )
    flask(running, "api", "import", str(document))
    with receiving() as receiver:
        create = ("webhook", "create", "Shop", receiver.url, "--api", "Told")
        wait(lambda: "secret" in flask(running, *create, check=False), 60)
        (webhook,) = json.loads(flask(running, "webhook", "list", "--json"))
        flask(running, "webhook", "test", webhook["id"])
        wait(lambda: receiver.told() == [("test", None)], 30, log.read_text)
    flask(running, "webhook", "delete", webhook["id"], "--yes")


def flask(serve: Serve, *arguments: str, check: bool = True) -> str:
    """Run a command beside the server, and return what it prints."""
    command = [sys.executable, "-m", "flask", *arguments]
    done = subprocess.run(command, cwd=paths.ROOT, env=serve.env, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


def test_a_taken_port_is_said_at_once(running: Serve) -> None:
    began = time.monotonic()
    second = subprocess.run(COMMAND, cwd=paths.ROOT, env=running.env, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"{running.address} is taken" in second.stderr
    assert "Traceback" not in second.stderr
    assert time.monotonic() - began < 3
    assert not running.ended()


def test_flask_finds_the_running_set_up(running: Serve) -> None:
    command = [Path(sys.executable).with_name("flask"), "api", "list", "--json"]
    done = subprocess.run(command, cwd=paths.ROOT, env=running.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "/api/partner/rest" in [row["route"] for row in json.loads(done.stdout)]
    assert not running.ended()


def test_odoo_serves_the_same_database_beside_it_and_its_ctrl_c_leaves_no_process(
    running: Serve, tmp_path: Path
) -> None:
    def servers() -> set[int]:
        """Our processes but PostgreSQL's, which come and go."""
        return {pid for pid, command in running.processes().items() if not command.startswith("postgres")}

    before = servers()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    log = tmp_path / "odoo.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dev", "odoo"],
            cwd=paths.ROOT,
            env={**running.env, "GATEHOUSE_ODOO_BIND": address},
            stdout=output,
            stderr=output,
        )
    try:
        wait(lambda: f"Odoo serves http://{address}/web" in log.read_text(), 120, log.read_text)
        with urllib.request.urlopen(f"http://{address}/web/login", timeout=60) as answer:
            assert answer.status == 200
            assert b"web.assets_frontend" in answer.read()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, log.read_text()
    assert servers() == before


def test_ctrl_c_leaves_no_process_and_the_next_start_is_fast_and_keeps_the_data(running: Serve, tmp_path: Path) -> None:
    log_in, _ = running.pasted(2)
    paste(log_in, tmp_path)
    partners = f"curl -sS -b '{running.folder}/data/cookies.txt' http://{running.address}/api/partner/rest"
    created = paste(f"""{partners} -H 'Content-Type: application/json' -d '{{"name": "Kept"}}'""", tmp_path)
    key = created["result"]["id"]  # type: ignore[index]

    assert running.stop(signal.SIGINT) == 0, running.output
    assert running.processes() == {}

    took = running.start()
    # A start is that of PostgreSQL, and of Odoo's registry for the command that prepares it and for the server.
    assert took < 4 * _seconds_of_a_command(running)
    assert "Creating" not in running.output
    assert "Importing" not in running.output
    # The session of before is still one: the secret key and the session store are kept too.
    assert paste(f"{partners}/{key}", tmp_path)["result"]["name"] == "Kept"  # type: ignore[index]


def _seconds_of_a_command(running: Serve) -> float:
    """Return the seconds of a command that loads Odoo's registry and asks one question."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "flask", "api", "list"], cwd=paths.ROOT, env=running.env, capture_output=True, check=True
    )
    return time.monotonic() - began


def test_flask_starts_postgresql_where_it_does_not_run_and_stops_it_again(running: Serve) -> None:
    running.stop()
    command = [sys.executable, "-m", "flask", "api", "list"]
    done = subprocess.run(command, cwd=paths.ROOT, env=running.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert running.processes() == {}


def test_a_gunicorn_that_dies_is_reported_and_leaves_nothing(running: Serve) -> None:
    (master,) = [
        pid
        for pid, command in running.processes().items()
        if "gunicorn" in command and parent(pid) == running.process.pid  # type: ignore[union-attr]
    ]
    os.kill(master, signal.SIGKILL)
    assert running.process is not None
    assert running.process.wait(60) == 1
    wait(lambda: "gunicorn was ended by signal SIGKILL" in running.output, 5, lambda: running.output)
    assert running.processes() == {}


def parent(pid: int) -> int:
    """Return the id of a process's parent."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_server_that_was_killed_is_followed_by_one_that_works(running: Serve) -> None:
    assert running.process is not None
    running.process.kill()
    running.process.wait()
    # gunicorn ends with its parent; PostgreSQL stays, and the next one takes it over.
    wait(lambda: not any("gunicorn" in text for text in running.processes().values()), 15)
    running.start()
    assert running.stop(signal.SIGTERM) == 0
    assert running.processes() == {}


def test_without_a_set_up_flask_says_what_to_do(tmp_path: Path, setup: Serve) -> None:
    env = {**setup.env, "GATEHOUSE_LOCAL": str(tmp_path / "none")}
    command = [sys.executable, "-m", "flask", "api", "list"]
    done = subprocess.run(command, cwd=paths.ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: There is no local set-up yet")
    assert "make serve" in done.stderr
