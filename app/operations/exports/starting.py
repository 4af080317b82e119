"""Exports of this process: admitted as any call, and then made piece by piece."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.definitions.definition import Definition, Exposure
from app.errors import Unavailable
from app.observe import meters
from app.operations.admission import caller_of
from app.operations.call import Call
from app.operations.exports.export import Export, take_slot
from app.operations.long_answers import STOPPING, Capacity, Ended, LongAnswer
from app.operations.openings import Openings
from app.principal import Principal
from odoo_bridge import errors as bridge
from odoo_bridge.transaction import Environment

#: Seconds for which looks may fail.
_PATIENCE = 5.0
#: Records that the panel's console gets at most: its page has no room for more.
_TRIED = 100


@dataclass(frozen=True, slots=True)
class Begun:
    """An export that has begun: its answer, what tells of its records, and the seconds that it may take."""

    answer: LongAnswer
    export: Export
    seconds: float

    error = "export_cut"

    @property
    def records(self) -> int:
        """The records that were given out so far."""
        return self.export.records

    def on_end(self, function: Callable[[Ended], None]) -> None:
        """Have a function called once, when it has ended; at once where it has."""
        self.answer.on_end(function)

    def meter(self, api: str, ended: Ended) -> None:
        """Count it once it has ended."""
        meters.EXPORTS.labels(api, "cut" if ended.reason else "whole").inc()
        meters.EXPORTED_RECORDS.labels(api).inc(self.records)
        meters.EXPORTED_BYTES.labels(api).inc(ended.size)


class Exports:
    """Begins exports."""

    def __init__(
        self, openings: Openings, seconds: float, threads: int, current: Callable[[int], Definition | None]
    ) -> None:
        """``seconds`` is the longest time of one; ``current`` returns the present definition of an API by its id."""
        self._openings = openings
        self._seconds = seconds
        self._current = current
        self._capacity = Capacity(max(1, threads // 2))

    def begin(
        self,
        call: Call,
        exposure: Exposure,
        parameters: Mapping[str, Any],
        media_type: str,
        is_ending: Callable[[], bool],
    ) -> Begun:
        """Admit a call and read its first records. Raises ApiError and BridgeError: nothing is sent then."""
        if is_ending():
            raise Unavailable(STOPPING, name="stopping")
        with contextlib.ExitStack() as place:  # it is given back whatever fails
            opened = self._openings.open(
                call, lambda env, principal: self._begun(env, principal, call, exposure, parameters, media_type, place)
            )
            made, uid = opened.begun
            watch = _Watch(self._openings, call, exposure.name, uid, self._current)
            answer = LongAnswer(opened, made.pieces(), self._seconds, watch.look, is_ending)
            kept = place.pop_all()
            answer.on_end(lambda ended: kept.close())
        return Begun(answer, made, self._seconds)

    def _begun(
        self,
        env: Environment,
        principal: Principal,
        call: Call,
        exposure: Exposure,
        parameters: Mapping[str, Any],
        media_type: str,
        place: contextlib.ExitStack,
    ) -> tuple[Export, int]:
        """Return the export, and who reads it; ``place`` gets what gives its place back."""
        place.close()  # of a try before this one
        take_slot(env, caller_of(call, principal))
        place.callback(self._capacity.take())  # behind the slot, so that who is refused that one holds no place
        most = None if call.trial is None else _TRIED
        made = Export(env, call.definition, exposure, parameters, media_type, caller=principal.key, most=most)
        return made, principal.uid


class _Watch:
    """Looks at whether a call that is under way would still be admitted."""

    def __init__(
        self, openings: Openings, call: Call, model: str, uid: int, current: Callable[[int], Definition | None]
    ) -> None:
        """``uid`` is who reads the model."""
        self._openings = openings
        self._call = call
        self._model = model
        self._uid = uid
        self._current = current
        self._failing_since: float | None = None

    def look(self) -> None:
        """Raise ApiError or BridgeError once the call would be refused, or its API is another one.

        A look that fails by itself, as the database is busy, is no refusal, unless all do for some seconds.
        """
        current = self._current(self._call.definition.id)
        if self._call.trial is None and (current is None or current.revision != self._call.definition.revision):
            raise Unavailable("The API has been changed.")
        try:
            self._call = self._openings.look_again(self._call, self._model, self._uid)
        except (bridge.Unavailable, bridge.TooCostly, bridge.Conflict):
            now = time.monotonic()
            self._failing_since = self._failing_since or now
            if now - self._failing_since > _PATIENCE:
                raise
        else:
            self._failing_since = None
