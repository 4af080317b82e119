"""Threads in test mode: their work is done in the thread of the call, where it is kept in.

Nobody else can do what such a thread waits for. So a wait that would not end, or takes too long, is refused.
"""

from __future__ import annotations

import _thread
import logging
import queue
import selectors
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from .sandbox_state import SandboxRefusal, kept_in, refused, state

_logger = logging.getLogger(__name__)

#: Seconds that the threads of a call may wait or sleep, all in all.
_PATIENCE = 5.0
#: Modules whose threads serve a queue, or another process, until they are told to stop.
_SERVERS = ("concurrent.futures", "multiprocessing")

_wait = threading.Condition.wait
_sleep = time.sleep
_select = selectors.EpollSelector.select


def _refusal(why: str) -> SandboxRefusal:
    return refused(f"Test mode runs the threads of a call one after the other, {why}.", "threads")


@kept_in(threading.Thread, "start", way_out=True)
def _run_at_once(thread: threading.Thread) -> None:
    target = getattr(thread, "_target", None)
    if str(getattr(target, "__module__", "")).startswith(_SERVERS) or type(thread).__module__.startswith(_SERVERS):
        raise _refusal("and can't run one that serves others")
    thread.join = lambda timeout=None: None  # type: ignore[method-assign]
    if isinstance(thread, threading.Timer):
        return  # what it does later is, as with post-commit hooks, not done
    state.threads += 1
    try:
        thread.run()
    except SandboxRefusal:
        raise
    except SystemExit:
        pass  # ends the thread, and nothing is said
    except Exception:
        _logger.exception("A thread that a call in test mode started has failed")
    finally:
        state.threads -= 1


@kept_in(ThreadPoolExecutor, "submit", way_out=True)
def _do_at_once(executor: Any, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
    if getattr(executor, "_initializer", None) is not None:
        raise _refusal("and can't prepare one for a pool")
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    state.threads += 1
    try:
        future.set_result(function(*arguments, **options))
    except BaseException as error:  # noqa: BLE001  as the pool's own threads do
        future.set_exception(error)
    finally:
        state.threads -= 1
    return future


def _no_thread(*arguments: Any, **options: Any) -> Any:
    raise _refusal("and can't run one without threading.Thread")


for _module in (_thread, threading):
    # 3.13 has a function of its own for threads that can be joined.
    for _name in ("start_new_thread", "start_new", "start_joinable_thread"):
        for _known_as in (_name, f"_{_name}"):
            if hasattr(_module, _known_as):
                kept_in(_module, _known_as, way_out=_module is _thread)(_no_thread)


@kept_in(threading.Condition, "wait")  # what events, semaphores, barriers, futures and queues wait by
def _wait_in_vain(condition: threading.Condition, timeout: float | None = None) -> bool:
    _spend(timeout)
    return _wait(condition, timeout)


@kept_in(time, "sleep")
def _sleep_for_a_while(seconds: float) -> None:
    if state.threads:
        _spend(seconds)
    _sleep(seconds)


@kept_in(selectors.EpollSelector, "select")  # what event loops wait by
def _select_in_vain(selector: selectors.EpollSelector, timeout: float | None = None) -> Any:
    ready = _select(selector, 0)
    if ready or (timeout is not None and timeout <= 0):
        return ready
    _spend(timeout)
    return _select(selector, timeout)


def _spend(seconds: float | None) -> None:
    """Count the seconds that a thread waits; raises SandboxRefusal where nobody will ever end it."""
    if seconds is None:
        raise _refusal("and one waits for another")
    if state.threads:
        state.waited += max(seconds, 0.0)
        if state.waited > _PATIENCE:
            raise _refusal("and one waits too long")


class _SimpleQueue(queue.SimpleQueue):  # type: ignore[type-arg]
    """A queue from which nothing is awaited in vain in test mode."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take an item; see ``queue.SimpleQueue``."""
        if state.testing and block and self.empty():
            _spend(timeout)
        return super().get(block, timeout)


queue.SimpleQueue = _SimpleQueue  # type: ignore[misc]
