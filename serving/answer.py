"""The application's answer to one request, made in pieces: as much at a time as its client takes."""

from __future__ import annotations

import contextvars
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from gunicorn.http.wsgi import FileWrapper, Response

from serving.long_answers import NOT_BEGUN, Cut, Rest
from serving.outbox import Outbox
from serving.refusals import Refusal
from serving.request import Request

_logger = logging.getLogger(__name__)

Application: TypeAlias = "Callable[[dict[str, Any], Any], Iterable[bytes]]"
#: Bytes that wait to be sent, from which on no more are made until the client has taken some.
BACKLOG = 256 * 1024
#: Seconds for which a long answer is made before what there is of it is sent, and others have their turn.
TURN = 0.05


class Answer:
    """An answer, made by ``advance``: whichever thread calls it goes on where the last one has left it.

    ``finished``: all of it is in the outbox. ``keeps``: it ended as it should, and the connection can go on.
    ``ends_at``: the time by which a long answer has to be over. ``rest``: the time when there is nothing to send.
    """

    def __init__(
        self,
        request: Request,
        environ: dict[str, Any],
        outbox: Outbox,
        response: Response,
        *,
        last: bool,
        waits: bool = False,
        on_wake: Callable[[], None] = lambda: None,
    ) -> None:
        """``response`` writes to the outbox. ``last``: the connection ends with this answer, as the head then says.

        ``waits``: nothing of it is sent before all of the body is here. ``on_wake`` is called by whichever thread wakes
        it.
        """
        self._request = request
        self._environ = environ
        self._outbox = outbox
        self._response = response
        self._incoming = request.incoming
        self._outbox.is_held = waits and self._incoming is not None
        if last:
            self._response.force_close()
        self._context = contextvars.copy_context()
        self._result: Iterable[bytes] | None = None
        self._pieces: Iterator[bytes] = iter(())
        self.finished = False
        self.keeps = False
        self.ends_at = math.inf
        self.rest = Rest(on_wake)
        environ["gatehouse.long"] = self._be_long
        if self._incoming is not None:  # it waits for more of that, not for a time
            environ["gatehouse.incoming"] = self._incoming
        else:
            environ["gatehouse.rest"], environ["gatehouse.wake"] = self._begin_rest, self.rest.wake

    @property
    def is_long(self) -> bool:
        """True if the application has said that it takes long."""
        return self.ends_at < math.inf

    @property
    def takes_in(self) -> bool:
        """True if the request's body comes in while it is made."""
        return self._incoming is not None

    @property
    def wants_more(self) -> bool:
        """True if it can't go on until more of the body is here."""
        return self._incoming is not None and self._incoming.wants_more and not self.finished

    @property
    def rests(self) -> bool:
        """True if there is nothing to send for now."""
        return not self.finished and self.rest.lasts

    @property
    def status(self) -> int | None:
        """The status, None as long as there is none."""
        return getattr(self._response, "status_code", None)

    def advance(self, application: Application) -> None:
        """Make the next pieces, and send what the client takes. Raises OSError where it is gone."""
        try:
            self._context.run(self._advance, application)
        except Cut as cut:
            _logger.info("The answer to %s is cut: %s", self._request.target.partition("?")[0], cut)
            if not self._response.headers_sent:
                self._outbox.sendall(NOT_BEGUN.render())
            self.finished, self.keeps = True, False
        except BaseException:  # noqa: BLE001  whatever it is, it is logged and the client told
            self._fail()
        if self.finished or (self._incoming is not None and self._incoming.is_whole):
            self._outbox.is_held = False
        self._outbox.flush()
        if self.finished:
            self.close()  # what the application does after its answer keeps no client waiting
        if self.finished or self.takes_in:
            try:
                self._outbox.put_away()
            except OSError as error:
                _logger.error("An answer stays in memory, as no file can be had for it: %s", error)

    def close(self) -> None:
        """Let the application clean up, also where the answer has not come to its end."""
        result, self._result = self._result, None
        close = getattr(result, "close", None)
        if close is not None:
            try:
                self._context.run(close)
            except BaseException:
                _logger.exception("Unexpected error after an answer")
        self._request.close()
        self.rest.close()
        self._environ, self._pieces = {}, iter(())  # reference cycles: only the garbage collector would free them

    def cut(self) -> None:
        """End it where it is: the client has gone."""
        self.finished, self.keeps = True, False
        self.close()

    def _be_long(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds

    def _begin_rest(self, seconds: float) -> None:
        """Rest before the next piece. Raises Cut where the time of the answer is over: it would be asked for ever."""
        now = time.monotonic()
        if not self.is_long:
            raise RuntimeError("Only a long answer can rest: gatehouse.long comes first.")
        if now >= self.ends_at:
            raise Cut("It has taken longer than it had said.")
        self.rest.begin(min(now + seconds, self.ends_at))

    def _advance(self, application: Application) -> None:
        response, outbox = self._response, self._outbox
        self.rest.end()
        if self._result is None:
            self._result = result = application(self._environ, response.start_response)
            if isinstance(result, FileWrapper) and response.sendfile(result):
                self._end()
                return
            self._pieces = iter(result)
        turn_ends = time.monotonic() + TURN
        for piece in self._pieces:
            response.write(piece)
            turn_is_over = outbox.pending > BACKLOG or (self.is_long and time.monotonic() > turn_ends)
            if self.rest.has_begun or ((turn_is_over or self.wants_more) and not self._is_whole()):
                return  # after a flush it goes on at once, when the client has taken some, or when there is more
        self._end(is_short=response.response_length is not None and self._is_short())

    def _is_whole(self) -> bool:
        """True if all that Content-Length has announced is in the outbox."""
        length = self._response.response_length
        return length is not None and self._response.sent >= length

    def _is_short(self) -> bool:
        """True if less has come than Content-Length has announced: the client must not take it for the whole."""
        omits = self._request.method == "HEAD" or self._response.status_code in (204, 304)
        return not omits and self._response.sent < self._response.response_length

    def _end(self, *, is_short: bool = False) -> None:
        self._response.close()
        self.finished = True
        self.keeps = not is_short and not self._response.should_close()

    def _fail(self) -> None:
        """Log an error that the application has not turned into an answer; say so where none has begun, else cut it."""
        path = self._request.target.partition("?")[0]
        _logger.exception("Unexpected error while answering %s %s", self._request.method, path)
        if not self._response.headers_sent:
            self._outbox.sendall(Refusal(500, "Something went wrong on our side.").render())
        self.finished, self.keeps = True, False
