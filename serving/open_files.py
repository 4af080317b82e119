"""The limit of open files: each connection is one."""

from __future__ import annotations

import resource

#: Files that a worker may have open, where the system allows.
FILES = 16_384


def allow() -> None:
    """Raise this process's limit to FILES or to what it may be; workers inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
