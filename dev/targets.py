"""The targets of the Makefile that test, and what belongs to each: one table that all commands read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """A target: ``folders`` below tests/, and how many processes it keeps busy, of ``everything.ROOM``.

    ``long`` are variables for make with which it tries more than in its short form, beside LONG=1.
    """

    name: str
    folders: tuple[str, ...] = ()
    processes: int = 1
    long: Mapping[str, str] = field(default_factory=dict)


#: What a change has to pass (`make ci`), those first that take longest.
CI = (
    Target("test", ("server", "dev", "bench", "odoo", "http", "unit"), 3),
    Target("integration", ("integration",), 2),
    Target("clients", ("clients",), 2),
    Target("browser", ("browser",), 2),
    Target("applications", ("applications",), long={"ARGS": "--every-record"}),
    Target("upgrades", ("upgrades",), 2),
    Target("addon", ("addon",)),
    Target("operations", ("deploy",)),
    Target("check"),
    Target("drills", ("drills",), 4),  # which measure how long others wait, and so run alone
)
#: What `make everything` adds: it takes hours, or needs the machine for itself.
LONG = (
    Target("slow", processes=3),
    Target("image", ("image",)),
    Target("mutants", processes=2),
    Target("soak", processes=4),
    Target("bench", processes=4),
)
