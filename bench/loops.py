"""Event loops of the benchmarks' own processes."""

from __future__ import annotations

import asyncio
import selectors


def precise() -> asyncio.SelectorEventLoop:
    """Return an event loop that waits by select(2): in microseconds, where epoll knows milliseconds alone."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())
