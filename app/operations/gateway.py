"""The one line that every door leads to: principal → access → context → work, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from app.analytics import audit, callers
from app.analytics.audit import Author
from app.auth.authentication import Authenticator
from app.auth.bearers import Bearer
from app.observe import meters
from app.operations.addons import Addons
from app.operations.admission import Admission, check_structure, environment
from app.operations.call import Call
from app.operations.idempotency import once
from app.operations.report import CallReport
from app.policy import access
from app.principal import Credentials, Principal
from odoo_bridge import deadline, replica, sandbox
from odoo_bridge.replica import Replica
from odoo_bridge.transaction import Environment, Transactions

T = TypeVar("T")


class Gateway:
    """Runs the calls of one database."""

    def __init__(
        self,
        transactions: Transactions,
        replica: Replica,
        authenticator: Authenticator,
        admission: Admission,
        addons: Addons,
        call_timeout: float,
    ) -> None:
        """``call_timeout``: seconds that a call may take."""
        self._transactions = transactions
        self._replica = replica
        self._authenticator = authenticator
        self._admission = admission
        self._addons = addons
        self._call_timeout = call_timeout

    def run(self, call: Call, work: Callable[[Environment], T], *, read_only: bool = False) -> T:
        """Run ``work(env)`` as the Odoo user whom the call's API and principal name, and return its result.

        ``work`` checks what the call asks for against the policy and does it; it can be called again after a
        serialization failure. In test mode nothing of it stays; ``read_only`` lets
        PostgreSQL refuse every write. Raises ApiError and BridgeError.
        """
        return self._run(call, lambda env, principal: work(env), read_only=read_only)

    def run_once(self, call: Call, work: Callable[[Environment], Any]) -> Any:
        """Like ``run``; with an Idempotency-Key, the same call again gives the first one's result and does nothing."""
        key = call.idempotency
        if key is None:
            return self.run(call, work)
        return self._run(
            call, lambda env, principal: once(env, key, call.definition.id, principal.key, lambda: work(env))
        )

    def callers(
        self, presented: Credentials, run_as: Collection[int | None], report: CallReport
    ) -> dict[int | None, Principal]:
        """Return the callers of a request that names no API; see ``Authenticator.callers``."""
        return self._transactions.run(lambda root: self._authenticator.callers(root, presented, run_as, report))

    def client(self, presented: Credentials, report: CallReport) -> Bearer:
        """Return the client app that calls by itself, whatever the API; see ``Authenticator.client``.

        It counts among what its caller has under way until ``leave`` is called.
        """
        bearer = self._transactions.run(lambda root: self._authenticator.client(root, presented, report))
        self._admission.enter(callers.of_client(bearer.client_id), report)
        return bearer

    def leave(self, report: CallReport) -> None:
        """Take note that a request which names no API has been answered."""
        self._admission.leave(report)

    def _run(self, call: Call, work: Callable[[Environment, Principal], T], *, read_only: bool = False) -> T:
        try:
            with deadline.within(self._call_timeout):
                return self._run_in_time(call, work, read_only=read_only)
        finally:
            self._admission.leave(call.report)

    def _run_in_time(self, call: Call, work: Callable[[Environment, Principal], T], *, read_only: bool) -> T:
        access.check_served(call.definition)
        rolled_back = call.rolled_back
        reads = read_only or call.action.reads
        on_replica = reads and not call.action.on_primary and not rolled_back and call.together is None
        if on_replica and self._replica.is_fit:
            return self._read(call, work, read_only=read_only)

        def within(root: Environment) -> T:
            principal = self._admission.admit(root, call)
            if not reads:
                self._addons.check_writable(root)
            return self._act(root, call, principal, work, read_only=read_only)

        if call.together is not None:
            return call.together.run(within)
        return self._transactions.run(within, keep=not rolled_back, read_only=read_only)

    def _read(self, call: Call, work: Callable[[Environment, Principal], T], *, read_only: bool) -> T:
        """Ask the primary who calls, and the replica for what they want; the primary too where the replica is unfit."""
        principal, since = self._transactions.run(
            lambda root: (self._admission.admit(root, call), replica.position(root))
        )

        def within(root: Environment) -> T:
            check_structure(root, call.definition)  # it is not the environment that admitted the call
            return self._act(root, call, principal, work, read_only=read_only)

        try:
            result = self._replica.run(within, since)
        except replica.Unfit:
            meters.REPLICA_READS.labels("primary").inc()
            return self._transactions.run(within, read_only=read_only)
        meters.REPLICA_READS.labels("replica").inc()
        return result

    def _act(
        self,
        root: Environment,
        call: Call,
        principal: Principal,
        work: Callable[[Environment, Principal], T],
        *,
        read_only: bool,
    ) -> T:
        """Do the work as the principal's user, and note what it has changed."""
        call.report.changes.clear()  # of a try that failed
        with _place_of(root, call, principal, read_only=read_only) as place:
            result = work(environment(place, call, principal, read_only=read_only), principal)
        if call.report.changes and not call.rolled_back:
            audit.write(root.cr, _author(call, principal), call.report.changes)
        return result


def _place_of(
    root: Environment, call: Call, principal: Principal, *, read_only: bool
) -> AbstractContextManager[Environment]:
    """Return the superuser's environment that a call works in."""
    if call.together is not None:
        reads = read_only or call.action.reads
        return call.together.step(principal, reads=reads, read_only=read_only, rolled_back=call.rolled_back)
    kept_in = sandbox.isolated if call.rolled_back else sandbox.reading if read_only else nullcontext
    return kept_in(root)


def _author(call: Call, principal: Principal) -> Author:
    return Author(
        request_id=call.request_id,
        call_id=call.call_id,
        api_id=call.definition.id,
        api=call.definition.name,
        caller=call.trial.caller(principal.key) if call.trial else principal.key,
        client=principal.client,
        uid=principal.uid,
        address=call.credentials.address,
        tool=call.tool,
        approved_by=call.approved_by,
    )
