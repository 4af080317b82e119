"""The beginning of imports: who may import what, and how many at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

from app.definitions.definition import Definition
from app.errors import BadRequest, Forbidden, TooManyRequests, Unavailable
from app.operations.admission import caller_of
from app.operations.call import Call
from app.operations.gateway import Gateway
from app.operations.imports.importing import Import, Target
from app.operations.imports.lines import CsvLines, Lines, NdjsonLines
from app.operations.long_answers import STOPPING, Places
from app.policy import cells
from app.principal import Principal
from odoo_bridge import rights
from odoo_bridge.transaction import Environment
from serving.incoming import Incoming

NDJSON, CSV = "application/x-ndjson", "text/csv"
#: Types of bodies that are imported.
TYPES = (NDJSON, CSV)


class Imports:
    """Begins imports."""

    def __init__(
        self, gateway: Gateway, seconds: float, threads: int, current: Callable[[int], Definition | None]
    ) -> None:
        """``seconds`` is the longest time of one; ``current`` returns the present definition of an API by its id."""
        self._gateway = gateway
        self._current = current
        self.seconds = seconds
        # One that waits for its client has no thread.
        self._places = Places(
            threads,
            max(1, threads // 2),
            "imports",
            partial(TooManyRequests, name="too_many_imports"),
            partial(Unavailable, name="imports_busy"),
        )

    def begin(self, target: Target, media_type: str, incoming: Incoming, is_ending: Callable[[], bool]) -> Import:
        """Admit a call and read what is here of its body. Raises ApiError and BridgeError: nothing is sent then."""
        if is_ending():
            raise Unavailable(STOPPING, name="stopping")
        switches = target.exposure.switches
        if not switches.issuperset({"bulk_create"} if target.key is None else {"bulk_create", "bulk_update"}):
            message = "This API takes one record per call, as an object of JSON."
            raise BadRequest(message, name="bulk_disabled", data={"parameter": "body"})
        if target.call.idempotency is not None:
            message = (
                "An import is many transactions: with on_conflict it can be repeated, and needs no Idempotency-Key."
            )
            raise BadRequest(message, name="idempotency_of_stream", data={"parameter": "Idempotency-Key"})
        target = replace(target, uid=self._gateway.run(target.call, partial(self._check, target)))
        give_back = self._places.take(caller_of(target.call, cast(Principal, target.call.report.principal)))
        lines, is_current = _lines(target, media_type), partial(self._is_current, target.call)
        begun = Import(self._gateway, target, lines, incoming, self.seconds, is_ending, is_current, give_back)
        try:
            begun.begin()
        except BaseException:
            begun.close()
            raise
        return begun

    @staticmethod
    def _check(target: Target, env: Environment) -> int:
        """Return the user who may import; raises ApiError."""
        model = target.exposure.name
        if target.key is not None:
            target.operations(env).key(target.key)
        missing = {"create", *([] if target.key is None else ["write"])} - rights.allowed(env, model)
        if missing:
            raise Forbidden(f"The user may not {' or '.join(sorted(missing))} records of {model}.")
        return int(env.uid)

    def _is_current(self, call: Call) -> bool:
        """True while the API of a call is served as it was; a draft is not served at all."""
        current = self._current(call.definition.id)
        return call.trial is not None or (current is not None and current.revision == call.definition.revision)


def _lines(target: Target, media_type: str) -> Lines:
    if media_type == NDJSON:
        return NdjsonLines()
    return CsvLines(lambda names: cells.converters(names, target.exposure, target.key))
