"""Batches: calls that are made one after the other, in one transaction or each in its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from app.operations import idempotency as idempotent
from app.operations.admission import Admission
from app.operations.call import Call
from app.operations.idempotency import BATCH, Idempotency, once
from app.operations.together import Together
from odoo_bridge import batches, deadline
from odoo_bridge.transaction import Environment, Transactions


class Batches:
    """Runs the batches of one database; each of their calls takes the gateway's line."""

    def __init__(self, transactions: Transactions, admission: Admission, call_timeout: float) -> None:
        """``call_timeout``: seconds that a whole batch may take."""
        self._transactions = transactions
        self._admission = admission
        self._call_timeout = call_timeout

    def together(
        self,
        calls: Sequence[Call],
        work: Callable[[Together], Any],
        idempotency: Idempotency | None = None,
        *,
        testing: bool,
    ) -> Any:
        """Run the calls of an atomic batch, which ``work`` makes one after the other, in one transaction.

        ``testing`` says that nothing of it is kept. ``work`` may be called again. With an Idempotency-Key the same
        batch of the same caller gives the first one's result, and does nothing: who may not make one of the ``calls``
        is refused. Raises what ``work`` does.
        """

        def within(root: Environment) -> Any:
            with batches.together(root, testing=testing) as place:
                begin = partial(work, Together(root, place, testing=testing))
                if idempotency is None:
                    return begin()
                return once(root, idempotency, BATCH, self._callers(root, calls), begin)

        with deadline.within(self._call_timeout):
            return self._transactions.run(within, keep=not testing)

    def apart(self, calls: Sequence[Call], work: Callable[[], Any], idempotency: Idempotency | None = None) -> Any:
        """Run the calls of a batch of which each stands for itself; see ``together``.

        With an Idempotency-Key it is noted before all of them: a batch that was cut off is not begun anew.
        """
        with deadline.within(self._call_timeout):
            if idempotency is None:
                return work()

            def begin(root: Environment) -> tuple[str, Any]:
                caller = self._callers(root, calls)
                return caller, idempotent.begin(root, idempotency, BATCH, caller)

            caller, known = self._transactions.run(begin)
            if known is not None:
                return known
            result = work()
            with deadline.lifted():
                self._transactions.run(lambda root: idempotent.finish(root, idempotency, BATCH, caller, result))
            return result

    def _callers(self, root: Environment, calls: Sequence[Call]) -> str:
        """Return the callers, as the APIs of the calls know them; raises ApiError where one of them may not be made.

        All of them: to a public API anybody is the same, and another one of the calls may be for few.
        """
        for call in calls:
            call.report.principal = self._admission.again(root, call, counts=True)
        return " ".join(sorted({call.report.principal.key for call in calls if call.report.principal is not None}))
