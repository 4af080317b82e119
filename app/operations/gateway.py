"""The one line that every door leads to: principal → access → context → work, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from app.analytics import audit
from app.analytics.audit import Author
from app.auth.addresses import place_of
from app.auth.authentication import Authenticator
from app.auth.concurrency import Concurrency, make_concurrency
from app.auth.throttle import Throttle, check_rate
from app.catalog import store
from app.clients.tokens import Hasher
from app.config import Settings
from app.definitions.definition import Definition
from app.errors import DefinitionOutdated, Forbidden
from app.observe import meters
from app.operations.actions import Action
from app.operations.addons import Addons
from app.operations.idempotency import Idempotency, once
from app.operations.report import CallReport
from app.operations.trial import Trial, is_rolled_back
from app.policy import access, context
from app.policy.context import RequestedContext
from app.principal import Credentials, Principal
from odoo_bridge import caches, deadline, replica, rights, sandbox, sessions, users
from odoo_bridge import errors as bridge
from odoo_bridge.replica import Replica
from odoo_bridge.snapshots import Snapshot
from odoo_bridge.transaction import Environment, Transactions, act_as

T = TypeVar("T")
#: Snapshots in which a long answer is tried to begin.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Call:
    """A call as a request asks for it; nothing of it has been checked but that the API serves this action."""

    definition: Definition
    action: Action
    credentials: Credentials
    requested: RequestedContext
    report: CallReport
    request_id: str
    call_id: str
    idempotency: Idempotency | None = None
    trial: Trial | None = None


@dataclass(frozen=True, slots=True)
class Opened(Generic[T]):
    """A call that is admitted, the snapshot that its answer is read from, and what it has begun there.

    ``seconds`` is how long a step of it may take; ``testing`` says that it is one of test mode.
    """

    snapshot: Snapshot
    begun: T
    seconds: float
    testing: bool


class Gateway:
    """Runs the calls of one database."""

    def __init__(
        self,
        transactions: Transactions,
        replica: Replica,
        authenticator: Authenticator,
        throttle: Throttle,
        addons: Addons,
        concurrency: Concurrency,
        call_timeout: float,
    ) -> None:
        """``call_timeout``: seconds that a call may take."""
        self._transactions = transactions
        self._replica = replica
        self._authenticator = authenticator
        self._throttle = throttle
        self._addons = addons
        self._concurrency = concurrency
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
                    lambda root: (self._admit(root, call), replica.position(root) if asks_replica else None)
                )
        finally:
            self._leave(call)
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
        testing = is_rolled_back(call.definition, call.trial)

        def within(root: Environment) -> T:
            _check_structure(root, call.definition)  # it is not the environment that admitted the call
            return begin(self._environment(root, call, principal), principal)

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
        shown = call.credentials
        if shown.session_id and not shown.authorization:
            call = replace(call, credentials=replace(shown, session_id=sessions.successor(shown.session_id)))

        def work(root: Environment) -> None:
            _check_structure(root, call.definition)
            principal = self._authenticator.authenticate(root, call.credentials, call.definition, None)
            _check_revision(root, call.definition, principal)
            access.authorize(principal, call.definition, call.action.scope)
            if principal.uid != uid:
                raise Forbidden("Another user executes this caller's calls by now.")
            if "read" not in rights.allowed(self._environment(root, call, principal), model):
                raise Forbidden(f"The user may no longer read {model}.")

        with deadline.within(self._call_timeout):
            self._transactions.run(work)
        return call

    def callers(
        self, presented: Credentials, run_as: Collection[int | None], report: CallReport
    ) -> dict[int | None, Principal]:
        """Return the callers of a request that names no API; see ``Authenticator.callers``."""
        return self._transactions.run(lambda root: self._authenticator.callers(root, presented, run_as, report))

    def _run(self, call: Call, work: Callable[[Environment, Principal], T], *, read_only: bool = False) -> T:
        try:
            with deadline.within(self._call_timeout):
                return self._run_in_time(call, work, read_only=read_only)
        finally:
            self._leave(call)

    def _leave(self, call: Call) -> None:
        if call.report.under_way is not None:
            self._concurrency.leave(call.report.under_way)
            call.report.under_way = None

    def _run_in_time(self, call: Call, work: Callable[[Environment, Principal], T], *, read_only: bool) -> T:
        access.check_served(call.definition)
        rolled_back = is_rolled_back(call.definition, call.trial)
        reads = read_only or call.action.reads
        if reads and not rolled_back and self._replica.is_fit:
            return self._read(call, work, read_only=read_only)

        def within(root: Environment) -> T:
            principal = self._admit(root, call)
            if not reads:
                self._addons.check_writable(root)
            return self._act(root, call, principal, work, read_only=read_only)

        return self._transactions.run(within, keep=not rolled_back, read_only=read_only)

    def _read(self, call: Call, work: Callable[[Environment, Principal], T], *, read_only: bool) -> T:
        """Ask the primary who calls, and the replica for what they want; the primary too where the replica is unfit."""
        principal, since = self._transactions.run(lambda root: (self._admit(root, call), replica.position(root)))

        def within(root: Environment) -> T:
            _check_structure(root, call.definition)  # it is not the environment that admitted the call
            return self._act(root, call, principal, work, read_only=read_only)

        try:
            result = self._replica.run(within, since)
        except replica.Unfit:
            meters.REPLICA_READS.labels("primary").inc()
            return self._transactions.run(within, read_only=read_only)
        meters.REPLICA_READS.labels("replica").inc()
        return result

    def _admit(self, root: Environment, call: Call) -> Principal:
        """Return the principal; raises ApiError where they are unknown, call too often, or may not."""
        _check_structure(root, call.definition)
        call.report.changes.clear()  # of a try that failed
        principal = self._authenticator.authenticate(root, call.credentials, call.definition, call.report)
        caches.share_found(root)  # nothing is written yet: so that the calls of an API in test mode know it too
        call.report.principal = principal
        self._count(call, principal)
        _check_revision(root, call.definition, principal)
        access.authorize(principal, call.definition, call.action.scope)
        return principal

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
        rolled_back = is_rolled_back(call.definition, call.trial)
        kept_in = sandbox.isolated if rolled_back else sandbox.reading if read_only else nullcontext
        with kept_in(root) as place:
            result = work(self._environment(place, call, principal, read_only=read_only), principal)
        if call.report.changes and not rolled_back:
            audit.write(root.cr, _author(call, principal), call.report.changes)
        return result

    def _environment(
        self, root: Environment, call: Call, principal: Principal, *, read_only: bool = False
    ) -> Environment:
        """Return the environment of the principal's user, in the context that the call asks for."""
        chatter = call.definition.document.chatter or read_only or call.action.reads  # reads have one context for all
        context = _context(root, principal.uid, call.requested, call.definition, chatter=chatter)
        return act_as(root, principal.uid, context)

    def _count(self, call: Call, principal: Principal) -> None:
        """Count the call, once whatever its retries; the public is told apart by address."""
        caller = place_of(call.credentials.address) if principal.kind == "public" else principal.key
        if call.report.under_way is None:
            self._concurrency.enter(caller)
            call.report.under_way = caller
        rate = call.definition.document.rate_limit
        if rate is not None and call.report.rate is None:
            state = call.report.rate = self._throttle.hit(rate, "api", str(call.definition.id), caller)
            check_rate(rate, state)


def make_gateway(
    settings: Settings,
    transactions: Transactions,
    throttle: Throttle,
    addons: Addons,
    hasher: Callable[[], Hasher],
    on_token: Callable[[str], None],
) -> Gateway:
    """Return the gateway of a database; ``hasher`` and ``on_token`` are the authenticator's."""
    return Gateway(
        transactions,
        Replica(transactions.database, settings.statement_timeout),
        Authenticator(hasher, on_token),
        throttle,
        addons,
        make_concurrency(settings),
        settings.call_timeout,
    )


def _check_structure(root: Environment, definition: Definition) -> None:
    """Raise DefinitionOutdated where the registry is another one than the definition was compiled for."""
    if not definition.structure.fits(root):
        raise DefinitionOutdated()


def _check_revision(root: Environment, definition: Definition, principal: Principal) -> None:
    """Raise DefinitionOutdated where an API that does not name the caller's client app has just been changed.

    A client app that is renamed has its new name in the database, and here for some moments its old one.
    """
    if principal.client is None or principal.client in definition.document.clients:
        return
    if store.revision(root.cr, definition.id) not in (None, definition.revision):
        raise DefinitionOutdated()


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
    )


def _context(
    root: Environment, uid: int, requested: RequestedContext, definition: Definition, *, chatter: bool
) -> dict[str, object]:
    """Return Odoo's context for a call. What only some calls ask for is looked up only then."""
    language = context.language(requested.language, users.installed_languages(root)) if requested.language else None
    company = None
    if requested.company is not None:
        company = context.company(requested.company, definition.ids, users.company_ids(root, uid))
    own = users.own_context(root, uid)
    return context.build(own, language, context.time_zone(requested.time_zone), company, chatter=chatter)
