"""A stand-in for `systemctl`, where no systemd runs: starts, reloads and stops services by what their units say.

`python systemctl.py FOLDER COMMAND UNIT…`, FOLDER being the root of the machine that is played. It knows what the units
in deploy/ need: user, group, umask, working folder, environment (nothing else is passed on), Exec lines, Type=notify,
for which it waits, WantedBy=, by which one unit's start starts another, PartOf= and ReloadPropagatedFrom=, by which its
stop and its reload are another's. Sandboxing is systemd's own.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

PATIENCE = 120.0


class Unit:
    """A service: its settings, drop-ins included, and its main process."""

    def __init__(self, root: Path, name: str) -> None:
        template, at, instance = name.partition("@")
        folder = root / "etc" / "systemd" / "system"
        file = f"{template}{at}.service"
        self.root, self.name, self.file = root, name, folder / f"{name}.service"
        self.settings: dict[str, list[str]] = defaultdict(list)
        for path in (*folder.glob(file), *sorted((folder / f"{file}.d").glob("*.conf"))):
            for key, value in re.findall(r"^(\w+)=(.*)$", path.read_text(), re.MULTILINE):
                self.settings[key].append(value.replace("%i", instance))
        self.pid_file = root / "run" / f"{name}.pid"
        self.log = root / "var" / "log" / f"{name}.log"

    def one(self, key: str, default: str) -> str:
        """Return the last value of a setting."""
        return self.settings[key][-1] if self.settings[key] else default

    def pid(self) -> int:
        """Return the main process, 0 where there is none."""
        return int(self.pid_file.read_text()) if self.pid_file.exists() else 0

    def started(self) -> int:
        """Return when the main process was started, in microseconds; 0 where there is none."""
        return self.pid_file.stat().st_mtime_ns // 1000 if self.pid_file.exists() else 0

    def enable(self) -> None:
        """Have the units that are named by WantedBy= start this one."""
        for wanting in " ".join(self.settings["WantedBy"]).split():
            folder = self.file.with_name(f"{wanting}.wants")
            folder.mkdir(exist_ok=True)
            (folder / self.file.name).touch()

    def wanted(self) -> list[Unit]:
        """Return the units that are started with this one."""
        folder = self.file.with_name(f"{self.file.name}.wants")
        return [Unit(self.root, path.stem) for path in sorted(folder.glob("*.service"))]

    def followers(self, key: str) -> list[Unit]:
        """Return the services that run and name this one with a key."""
        running = [Unit(self.root, path.stem) for path in sorted((self.root / "run").glob("*.pid"))]
        return [each for each in running if f"{self.name}.service" in " ".join(each.settings[key]).split()]

    def run(self, line: str, notify: str = "") -> subprocess.Popen[bytes]:
        """Start an Exec line as the unit's user, in its environment alone."""
        user = pwd.getpwnam(self.one("User", "root"))
        environment = {
            "PATH": f"{self.root}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
            "LANG": "C.UTF-8",
            "HOME": user.pw_dir,
            "USER": user.pw_name,
            "LOGNAME": user.pw_name,
            "MAINPID": str(self.pid()),
            **dict(part.split("=", 1) for value in self.settings["Environment"] for part in shlex.split(value)),
            **({"NOTIFY_SOCKET": notify} if notify else {}),
        }
        command = [part.replace("$MAINPID", environment["MAINPID"]).replace("$$", "$") for part in shlex.split(line)]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                env=environment,
                cwd=self.one("WorkingDirectory", "/"),
                user=user.pw_uid,
                group=user.pw_gid,
                extra_groups=[],
                umask=int(self.one("UMask", "0022"), 8),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self) -> None:
        """Start the service unless it runs, and wait until it says that it is ready, where it does."""
        if (pid := self.pid()) and alive(pid):
            return
        if any(self.run(line).wait(PATIENCE) for line in self.settings["ExecCondition"]):
            return
        for line in self.settings["ExecStartPre"]:
            self._finish(line)
        if self.one("Type", "simple") == "oneshot":
            self._finish(self.one("ExecStart", ""))
            return
        notifies = self.one("Type", "simple") == "notify"
        address = self.pid_file.with_suffix(".notify")
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(address))
            address.chmod(0o777)
            process = self.run(self.one("ExecStart", ""), str(address) if notifies else "")
            self.pid_file.write_text(str(process.pid))
            ready.settimeout(0.2)
            deadline = time.monotonic() + PATIENCE
            while notifies:
                with contextlib.suppress(TimeoutError):
                    notifies = b"READY=1" not in ready.recv(4096)
                if process.poll() is not None or time.monotonic() > deadline:
                    self.pid_file.unlink()
                    self.failed("did not get ready")
        address.unlink()

    def reload(self) -> None:
        """Run the reload lines."""
        for line in self.settings["ExecReload"]:
            self._finish(line)
        for each in self.followers("ReloadPropagatedFrom"):
            each.reload()

    def stop(self) -> None:
        """End the main process in order, and wait for its end, after those of the units that are part of this one."""
        for each in self.followers("PartOf"):
            each.stop()
        if (pid := self.pid()) and alive(pid):
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + PATIENCE
            while alive(pid):
                if time.monotonic() > deadline:
                    self.failed("does not stop")
                time.sleep(0.05)
        self.pid_file.unlink(missing_ok=True)

    def _finish(self, line: str) -> None:
        if code := self.run(line).wait(PATIENCE):
            self.failed(f"ended with {code}: {line}")

    def failed(self, why: str) -> None:
        """End the command as systemctl does, with what the journal would have."""
        sys.exit(f"Job for {self.name} failed: it {why}\n{self.log.read_text(errors='replace')[-3000:]}")


def alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def main(root: Path, words: list[str]) -> None:
    """Run a command of systemctl."""
    options = {word for word in words if word.startswith("-")}
    command, *names = [word for word in words if word not in options]
    if command == "show":  # -P, a time's name
        names.pop(0)
    for unit in [Unit(root, name.removesuffix(".service")) for name in names]:
        if command == "show":
            print(unit.started())
        if command == "enable":
            unit.enable()
        if command in ("restart", "stop"):
            unit.stop()
        if command in ("restart", "start") or (command == "enable" and "--now" in options):
            for each in (unit, *unit.wanted()):
                each.start()
        if command == "reload" or (command == "try-reload-or-restart" and unit.pid() and alive(unit.pid())):
            unit.reload()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
