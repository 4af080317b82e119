"""Admission of calls: who calls, how often, may they, and the environment that they work in."""

from __future__ import annotations

from app.auth.addresses import place_of
from app.auth.authentication import Authenticator
from app.auth.concurrency import Concurrency
from app.auth.throttle import Throttle, check_rate
from app.catalog import store
from app.definitions.definition import Definition
from app.errors import DefinitionOutdated
from app.operations.call import Call
from app.operations.report import CallReport
from app.policy import access, context
from app.policy.context import RequestedContext
from app.principal import Principal
from odoo_bridge import caches, users
from odoo_bridge.transaction import Environment, act_as


class Admission:
    """Admits the calls of one database."""

    def __init__(self, authenticator: Authenticator, throttle: Throttle, concurrency: Concurrency) -> None:
        self._authenticator = authenticator
        self._throttle = throttle
        self._concurrency = concurrency

    def admit(self, root: Environment, call: Call) -> Principal:
        """Return the principal; raises ApiError where they are unknown, call too often, or may not."""
        if call.goes_on:
            call.report.principal = self.again(root, call)
            return call.report.principal
        check_structure(root, call.definition)
        principal = self._authenticator.authenticate(root, call.credentials, call.definition, call.report)
        if call.together is None or call.together.is_untouched:
            caches.share_found(root)  # nothing is written yet: so that the calls of an API in test mode know it too
        call.report.principal = principal
        self._count(call, principal)
        _check_revision(root, call.definition, principal)
        access.authorize(principal, call.definition, call.action.scopes)
        return principal

    def again(self, root: Environment, call: Call, *, counts: bool = False) -> Principal:
        """Return the principal of a call that is under way, if it would still be admitted; raises ApiError.

        It counts against no rate, unless it ``counts``.
        """
        check_structure(root, call.definition)
        principal = self._authenticator.authenticate(root, call.credentials, call.definition, None)
        _check_revision(root, call.definition, principal)
        access.authorize(principal, call.definition, call.action.scopes)
        if counts:
            self._count_rate(call, caller_of(call, principal))
        return principal

    def enter(self, caller: str, report: CallReport) -> None:
        """Count a call among those of its caller that are under way, once; raises TooManyRequests."""
        if report.under_way is None:
            self._concurrency.enter(caller)
            report.under_way = caller

    def leave(self, report: CallReport) -> None:
        """Let a call no longer count among those of its caller that are under way."""
        if report.under_way is not None:
            self._concurrency.leave(report.under_way)
            report.under_way = None

    def _count(self, call: Call, principal: Principal) -> None:
        """Count the call, once whatever its retries."""
        caller = caller_of(call, principal)
        self.enter(caller, call.report)
        self._count_rate(call, caller)

    def _count_rate(self, call: Call, caller: str) -> None:
        rate = call.definition.document.rate_limit
        if rate is not None and call.report.rate is None:
            state = call.report.rate = self._throttle.hit(rate, "api", str(call.definition.id), caller)
            check_rate(rate, state)


def caller_of(call: Call, principal: Principal) -> str:
    """Return the caller that a call counts for; the public is told apart by address."""
    return place_of(call.credentials.address) if principal.kind == "public" else principal.key


def environment(root: Environment, call: Call, principal: Principal, *, read_only: bool = False) -> Environment:
    """Return the environment of the principal's user, in the context that the call asks for."""
    chatter = call.definition.document.chatter or read_only or call.action.reads  # reads have one context for all
    context = _context(root, principal.uid, call.requested, call.definition, chatter=chatter)
    return act_as(root, principal.uid, context)


def check_structure(root: Environment, definition: Definition) -> None:
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
