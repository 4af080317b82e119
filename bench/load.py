"""wrk, in a process of its own: what it is told, and what it found."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.request import Request
from dev.errors import SetupError

_SCRIPT = Path(__file__).with_name("wrk.lua")
#: Seconds that wrk waits for one answer.
_TIMEOUT = 60


class WrongAnswer(Exception):
    """A server gave an answer that is not the expected one, so its speed means nothing."""


class NoAnswer(WrongAnswer):
    """The first answer took longer than the whole load."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Findings of wrk: ``seconds`` that it took, ``p50`` and ``p99`` of the latency in seconds."""

    requests: int
    seconds: float
    p50: float
    p99: float

    @property
    def per_second(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def run(wrk: str, url: str, request: Request, *, seconds: int, connections: int) -> Outcome:
    """Send a request again and again over so many connections. Raises WrongAnswer, SetupError."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"spec = {lua(request.lua())}\n{_SCRIPT.read_text()}")
        script.flush()
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={_TIMEOUT}s", "-s", script.name, url]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 2 * _TIMEOUT)
    if done.returncode:
        raise SetupError(f"wrk failed: {(done.stdout + done.stderr).strip()}")
    return parse(done.stdout)


def parse(output: str) -> Outcome:
    """Return the outcome that the script prints as the last line; raises WrongAnswer."""
    found = json.loads(output.strip().splitlines()[-1])
    if found["bad"]:
        raise WrongAnswer(f"{found['bad']} of {found['requests']} answers were wrong. The first: {found['first_bad']}")
    if found["lost"]:
        raise WrongAnswer(f"{found['lost']} requests got no answer.")
    if not found["requests"]:
        raise NoAnswer("There was no answer in the time given.")
    return Outcome(found["requests"], found["microseconds"] / 1e6, found["p50"] / 1e6, found["p99"] / 1e6)


def lua(value: object) -> str:
    """Return a value as a Lua literal: text in ASCII, numbers, None, lists and dictionaries."""
    match value:
        case None:
            return "nil"
        case str():
            if not value.isascii():
                raise ValueError(f"{value!r} is not ASCII: Lua does not know JSON's escapes for it.")
            return json.dumps(value)
        case int():
            return str(value)
        case list():
            return "{" + ", ".join(map(lua, value)) + "}"
        case dict():
            return "{" + ", ".join(f"[{lua(key)}] = {lua(item)}" for key, item in value.items()) + "}"
    raise TypeError(f"{value!r} can't be said in Lua.")
