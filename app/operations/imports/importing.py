"""An import under way: lines in, a transaction for each piece of them, and an answer for each line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from app.definitions.definition import Exposure
from app.errors import ApiError, Forbidden, Unavailable, from_bridge
from app.json import lines as json_lines
from app.observe import meters
from app.operations.call import Call
from app.operations.gateway import Gateway
from app.operations.imports.lines import Line, Lines
from app.operations.long_answers import Ended, Streamed
from app.operations.single import RecordOperations
from app.operations.upsert import Saved, Upsert
from app.operations.versions import Condition
from odoo_bridge import errors as bridge
from odoo_bridge.transaction import Environment
from serving.incoming import Incoming

_logger = logging.getLogger(__name__)

#: Bytes of the lines of one transaction, about.
_BYTES = 1024 * 1024
#: Lines whose errors list what is allowed: it can be much.
_MOST_LISTS = 20
#: What became of a line.
Outcome: TypeAlias = "Saved | ApiError"


@dataclass(slots=True)
class Summary:
    """Numbers of lines, by what became of them."""

    lines: int = 0
    created: int = 0
    updated: int = 0
    failed: int = 0

    def count(self, outcome: Outcome) -> None:
        """Count a line."""
        self.lines += 1
        if isinstance(outcome, Saved):
            self.created += outcome.is_new
            self.updated += not outcome.is_new
        else:
            self.failed += 1


@dataclass(frozen=True, slots=True)
class Target:
    """Target of an import: the model of a call, and the key where its records may be there already.

    ``operations`` are those on the model in an environment, ``uid`` is the user who executes them.
    """

    call: Call
    exposure: Exposure
    operations: Callable[[Environment], RecordOperations]
    key: str | None = None
    condition: Condition = field(default_factory=Condition)
    uid: int = 0


class Import(Streamed):
    """The answer of an import, made as its body comes in.

    It ends with a summary; where it can't go on, with an error in place of it. What is committed by then stays.
    """

    def __init__(
        self,
        gateway: Gateway,
        target: Target,
        lines: Lines,
        incoming: Incoming,
        seconds: float,
        is_ending: Callable[[], bool],
        is_current: Callable[[], bool],
        give_back: Callable[[], None],
    ) -> None:
        """``is_current`` says that the API is still as it was, ``give_back`` is called when it has ended."""
        super().__init__(seconds, is_ending)
        self._is_current = is_current
        self._gateway = gateway
        self._target = target
        self._lines = lines
        self._incoming = incoming
        self._give_back = give_back
        self._most = target.call.definition.document.max_bulk
        self._waiting: list[Line] = []
        self._pieces: list[list[Line]] = []  # of one transaction each; the next one is the last
        self._has_all = self._has_ended = False
        self._failure: ApiError | None = None  # why no more lines are read
        self.summary = Summary()

    error = "import_cut"

    @property
    def records(self) -> int:
        """The records that were written so far."""
        return self.summary.created + self.summary.updated

    def meter(self, api: str, ended: Ended) -> None:
        """Count it once it has ended."""
        meters.IMPORTS.labels(api, "cut" if ended.reason else "whole").inc()
        meters.IMPORTED_RECORDS.labels(api).inc(self.records)

    def __next__(self) -> bytes:
        """Return the answers to the next piece of lines; nothing where more of the body has to come first."""
        if self._has_ended:
            self._close_whole()  # before the client has its last bytes, and may come with its next call
            raise StopIteration
        try:
            return self._sized(self._next())
        except Exception as error:  # noqa: BLE001  whatever it is, the client is told
            told = _told(error)
            self._has_ended, self._reason = True, told.message
            return self._sized(json_lines([{"error": told.to_json()}]))

    def begin(self) -> None:
        """Read the beginning of the body; raises ApiError where that is nothing to begin with."""
        self._read()
        if self._failure is not None and not self._waiting:
            raise self._failure

    def _next(self) -> bytes:
        """Do the next transaction, and return the answers to its lines, if there are any."""
        over = self._why_it_ends() or (None if self._is_current() else "The API has been changed.")
        if over is not None:
            raise Unavailable(over, name="import_cut")
        if not self._pieces:
            self._read()
            self._take_piece()
        if self._pieces:
            return self._save(self._pieces.pop())
        if self._failure is not None:
            raise self._failure
        if self._has_all:
            self._has_ended, self._reason = True, None
            return json_lines([{"summary": self.summary}])
        self._incoming.wait()
        return b""

    def _read(self) -> None:
        """Read the lines of what has come, and take note of why no more can be read."""
        if self._failure is not None or self._has_all:
            return
        incoming = self._incoming
        try:
            if incoming.size:
                self._waiting.extend(self._lines.feed(incoming.take()))
            if incoming.is_whole:
                self._has_all = True
                self._waiting.extend(self._lines.end())
        except ApiError as error:  # the lines before it are good
            self._failure = error
        if incoming.failure is not None and not self._has_all:
            failure = _Failed(incoming.failure.status, incoming.failure.message, incoming.failure.name)
            self._failure = self._failure or failure

    def _take_piece(self) -> None:
        """Take the lines of the next transaction: as many as one takes, or all where no more follow for now."""
        size = number = 0
        for number, line in enumerate(self._waiting[: self._most], 1):
            size += line.size
            if size >= _BYTES or number == self._most:
                break
        else:
            if not (number and (self._has_all or self._failure or self._incoming.is_pausing)):
                return
        self._pieces.append(self._waiting[:number])
        self._waiting = self._waiting[number:]

    def _save(self, piece: list[Line]) -> bytes:
        """Save the records of some lines in one transaction; where that fails, they are tried in halves next.

        So the one at fault is alone at last. Each is answered as soon as it is committed.
        """
        bodies = [line.values for line in piece if line.error is None]
        attempt = _Attempt(replace(self._target, call=self._target.call.by_now()), self._gateway, bodies)
        attempt.suggests = self.summary.failed < _MOST_LISTS
        try:
            saved = attempt.run() if bodies else []
        except Exception as error:  # of an addon's code too
            if not attempt.has_begun or isinstance(error, (Unavailable, bridge.Unavailable)):
                raise
            if attempt.is_kept:
                return self._answers(piece, attempt.outcomes_of(error))
            if len(piece) > 1:
                half = len(piece) // 2
                self._pieces += [piece[half:], piece[:half]]
                return b""
            saved = [_told(error)]
        return self._answers(piece, saved)

    def _answers(self, piece: Sequence[Line], saved: Sequence[Outcome]) -> bytes:
        done = dict(zip([line.number for line in piece if line.error is None], saved, strict=True))
        ids = self._target.call.definition.ids.of(self._target.exposure.name)
        answers = []
        for line in piece:
            outcome = line.error if line.error is not None else done[line.number]
            self.summary.count(outcome)
            if isinstance(outcome, Saved):
                told = {"status": outcome.status, "outcome": outcome.outcome, "id": ids.encode(outcome.id)}
            else:
                told = {"status": outcome.status, "error": outcome.to_json()}
            answers.append({"line": line.number, **told})
        return json_lines(answers)

    def _sized(self, piece: bytes) -> bytes:
        self._size += len(piece)
        return piece

    def _release(self) -> None:
        self._give_back()


class _Attempt:
    """One try to save some records in one transaction.

    ``has_begun``: the call was admitted. ``is_kept``: something of it is committed. ``suggests``: errors list what is
    allowed.
    """

    def __init__(self, target: Target, gateway: Gateway, bodies: Sequence[Any]) -> None:
        self._target = target
        self._gateway = gateway
        self._bodies = bodies
        self._outcomes: list[Outcome] | None = None
        self.has_begun = self.is_kept = False
        self.suggests = True

    def run(self) -> list[Outcome]:
        """Return the outcome of each. Raises ApiError and BridgeError: nothing is kept then."""
        return self._gateway.run(self._target.call, self._work)

    def outcomes_of(self, error: Exception) -> list[Outcome]:
        """Return the outcomes of what is committed, whatever Odoo wanted to do then; raises the error without them."""
        if self._outcomes is None:
            raise error
        _logger.error("Unexpected error behind a commit of an import", exc_info=error)
        return self._outcomes

    def _be_kept(self) -> None:
        self.is_kept = True

    def _work(self, env: Environment) -> list[Outcome]:
        self._outcomes = None
        env.cr.postcommit.add(self._be_kept)
        self._outcomes = self._saved(env)
        return self._outcomes

    def _saved(self, env: Environment) -> list[Outcome]:
        if env.uid != self._target.uid:
            raise Forbidden("Another user executes this caller's calls by now.")
        self.has_begun = True
        do = self._target.operations(env)
        do.suggests = self.suggests
        outcomes: dict[int, Outcome] = {}
        if self._target.key is None:
            good = list(_checked(self._bodies, lambda body: do.check(body, creating=True), outcomes))
            made = do.create_records([item for _, item in good])
            outcomes |= {index: Saved(record_id, True) for (index, _), record_id in zip(good, made, strict=True)}
        else:
            by_key = Upsert(do, do.key(self._target.key), self._target.condition)
            items = list(_checked(self._bodies, by_key.item, outcomes))
            saved = by_key.save_good([item for _, item in items])
            outcomes |= {index: one for (index, _), one in zip(items, saved, strict=True)}
        return [outcomes[index] for index in range(len(self._bodies))]


def _told(error: Exception) -> ApiError:
    """Return an error as the client gets it; a defect is in our log as a whole."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, bridge.BridgeError):
        return from_bridge(error, "body")
    _logger.error("Unexpected error in an import", exc_info=error)
    return ApiError("Something went wrong on our side.")


def _checked(
    bodies: Sequence[Any], check: Callable[[Any], Any], refused: dict[int, Outcome]
) -> Iterator[tuple[int, Any]]:
    """Yield the checked bodies with their places; the others get their errors."""
    for index, body in enumerate(bodies):
        try:
            yield index, check(body)
        except ApiError as error:
            refused[index] = error


class _Failed(ApiError):
    """A body of which no more comes."""

    def __init__(self, status: int, message: str, name: str) -> None:
        super().__init__(message, name=name)
        self.status = status
