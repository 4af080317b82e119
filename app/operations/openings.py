"""Long answers, opened: a call is admitted as any other, and its answer is read from a snapshot of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.errors import Forbidden
from app.observe import meters
from app.operations.admission import Admission, check_structure, environment
from app.operations.call import Call
from app.policy import access
from app.principal import Principal
from odoo_bridge import deadline, replica, rights
from odoo_bridge import errors as bridge
from odoo_bridge.replica import Replica
from odoo_bridge.snapshots import Snapshot
from odoo_bridge.transaction import Environment, Transactions

T = TypeVar("T")
#: Snapshots in which a long answer is tried to begin.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Opened(Generic[T]):
    """A call that is admitted, the snapshot that its answer is read from, and what it has begun there.

    ``seconds`` is how long a step of it may take; ``testing`` says that it is one of test mode.
    """

    snapshot: Snapshot
    begun: T
    seconds: float
    testing: bool


class Openings:
    """Opens the long answers of one database."""

    def __init__(self, transactions: Transactions, replica: Replica, admission: Admission, call_timeout: float) -> None:
        """``call_timeout``: seconds that a step of an answer may take."""
        self._transactions = transactions
        self._replica = replica
        self._admission = admission
        self._call_timeout = call_timeout

    def open(self, call: Call, begin: Callable[[Environment, Principal], T]) -> Opened[T]:
        """Admit a call whose answer takes long, and begin it in a snapshot: of the replica where that is fit.

        It does not count among those of its caller that are under way. ``begin`` may be called again, in another
        snapshot, where one fails. Raises ApiError and BridgeError.
        """
        access.check_served(call.definition)
        asks_replica = self._replica.is_fit
        try:
            with deadline.within(self._call_timeout):
                principal, since = self._transactions.run(
                    lambda root: (self._admission.admit(root, call), replica.position(root) if asks_replica else None)
                )
        finally:
            self._admission.leave(call.report)
        if since is not None:
            try:
                opened = self._begin(call, principal, begin, lambda: self._replica.open(since))
            except (replica.Unfit, bridge.Unavailable, bridge.Conflict, bridge.ReadOnly):
                meters.REPLICA_READS.labels("primary").inc()
            else:
                meters.REPLICA_READS.labels("replica").inc()
                return opened
        for tries_left in reversed(range(_TRIES)):
            try:
                return self._begin(call, principal, begin, self._primary)
            except (bridge.Unavailable, bridge.Conflict) as error:
                if not tries_left or (isinstance(error, bridge.Unavailable) and error.name != "odoo_changing"):
                    raise
                self._transactions.look()
        raise AssertionError  # the last try returns or raises

    def _begin(
        self,
        call: Call,
        principal: Principal,
        begin: Callable[[Environment, Principal], T],
        take: Callable[[], Snapshot],
    ) -> Opened[T]:
        testing = call.rolled_back

        def within(root: Environment) -> T:
            check_structure(root, call.definition)  # it is not the environment that admitted the call
            return begin(environment(root, call, principal), principal)

        snapshot = take()
        try:
            begun = snapshot.step(within, self._call_timeout, testing=testing)
            opened = Opened(snapshot, begun, self._call_timeout, testing)
            if not testing:
                snapshot.share_found()
        except BaseException:
            snapshot.close()
            raise
        return opened

    def _primary(self) -> Snapshot:
        return Snapshot.of_primary(self._transactions.database, self._transactions.limits.statement_timeout)

    def look_again(self, call: Call, model: str, uid: int) -> Call:
        """Return a call that is under way, by the id that its session has by now, if it would still be admitted.

        ``uid`` is who reads the model meanwhile. It counts against no rate. Raises ApiError and BridgeError.
        """
        call = call.by_now()

        def work(root: Environment) -> None:
            principal = self._admission.again(root, call)
            if principal.uid != uid:
                raise Forbidden("Another user executes this caller's calls by now.")
            if "read" not in rights.allowed(environment(root, call, principal), model):
                raise Forbidden(f"The user may no longer read {model}.")

        with deadline.within(self._call_timeout):
            self._transactions.run(work)
        return call
