"""The request that this thread answers, and what has been found out about it so far.

Flask's ``request`` and ``g`` find their object anew at each attribute, which costs a microsecond each time: of a call
that does little, a tenth was this. What is behind them is taken once here (Werkzeug: LocalProxy._get_current_object).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Request, current_app, g, request

if TYPE_CHECKING:
    from app.definitions.definition import Definition
    from app.errors import ApiError
    from app.observe.tracing import Trace
    from app.operations.long_answers import Stream
    from app.operations.report import CallReport
    from app.principal import Person
    from app.web.incoming import Incoming


class RequestState:
    """State of a request, behind ``flask.g``: each value has its default until somebody sets it.

    ``started`` is by ``time.perf_counter``. ``request_id`` may be the client's choice, ``call_id`` is ours alone.
    ``failure`` is the error that became the answer, ``reason`` what stood behind it, which clients are not told;
    ``person`` sits in front of the panel; ``stream`` is an answer that is made while it is sent; of a
    ``dry_run`` nothing is kept.
    Extensions of Flask keep values of their own here too.
    """

    started: float = 0.0
    request_id: str = ""
    call_id: str = ""
    trace: Trace | None = None
    incoming: Incoming | None = None
    definition: Definition | None = None
    report: CallReport | None = None
    failure: ApiError | None = None
    reason: str | None = None
    person: Person | None = None
    stream: Stream | None = None
    dry_run: bool = False

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value that was set, as Flask-WTF asks for its own."""
        return self.__dict__.get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        """Take a value away."""
        return self.__dict__.pop(name, *default)

    def __contains__(self, name: str) -> bool:
        return name in self.__dict__


#: Return what ``flask.request`` stands for; raises RuntimeError outside of a request.
current_request = cast("Callable[[], Request]", request._get_current_object)  # type: ignore[attr-defined]
#: Return what ``flask.g`` stands for.
current_state = cast("Callable[[], RequestState]", g._get_current_object)
#: Return what ``flask.current_app`` stands for.
current_app_object = cast("Callable[[], Flask]", current_app._get_current_object)  # type: ignore[attr-defined]


def current_incoming() -> Incoming:
    """Return the current request's input."""
    return cast("Incoming", current_state().incoming)


def current_report() -> CallReport:
    """Return the current request's report, where no call of an API makes one."""
    return cast("CallReport", current_state().report)
