"""Calls of the app in this process, without HTTP: through the gateway, and on Odoo's ORM beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from app.definitions.definition import Exposure
from app.operations.actions import CALL, READ, Action
from app.operations.call import Call
from app.operations.endpoints import Endpoint
from app.operations.methods import MethodCalls
from app.operations.report import CallReport
from app.operations.single import RecordOperations
from app.policy import arguments
from app.policy.context import RequestedContext
from app.principal import Credentials
from app.web.routing import Gatehouse
from bench import configure
from odoo_bridge import users
from odoo_bridge.types import MethodInfo


class Calls:
    """Calls on the app, and on Odoo's ORM; each returns the number of SQL queries that it made before the commit."""

    def __init__(self, app: Gatehouse, uid: int, token: str) -> None:
        self._app = app
        self._uid = uid
        self._credentials = Credentials(None, f"Bearer {token}", "127.0.0.1")
        transactions = app.services.transactions
        self._registry: Any = transactions.run(lambda root: root.registry)
        self._environment: Any = transactions.run(type)
        self._context = transactions.run(lambda root: users.own_context(root, uid))

    def bare(self, work: Callable[[Any], object]) -> int:
        """Work in a transaction as Odoo's own code would open it."""
        with self._registry.cursor() as cr:
            work(self._environment(cr, self._uid, self._context))
            return int(cr.sql_log_count)

    def transaction(self) -> int:
        """Do nothing in a transaction of the bridge."""
        return self._app.services.transactions.run(one_query)

    def gateway(self, action: Action, work: Callable[[RecordOperations], object]) -> int:
        """Work through the gateway: credentials, rate limit, scopes, context, policy, serializer, commit."""

        def within(env: Any, endpoint: Endpoint, call: Call) -> None:
            exposure, cursors = cast(Exposure, endpoint.exposure), self._app.services.cursors
            work(RecordOperations(env, endpoint.definition, exposure, call.report, cursors))

        return self._run(self._endpoint(action), within)

    def method(self) -> int:
        """Call the method that does nothing, through the gateway."""

        def within(env: Any, endpoint: Endpoint, call: Call) -> None:
            definition, exposure = endpoint.definition, cast(Exposure, endpoint.exposure)
            method = cast(MethodInfo, definition.method)
            given = arguments.of_body({}, method, definition.document.argument_models, definition.ids)
            MethodCalls(env, definition, exposure, method, call.report, only_reads=False).on_model(given)

        return self._run(self._endpoint(CALL, configure.METHOD), within)

    def public_id(self, record_id: int) -> int | str:
        """Return the id under which the API knows a partner."""
        return self._endpoint(READ).definition.ids.of("res.partner").encode(record_id)

    def _run(self, endpoint: Endpoint, work: Callable[[Any, Endpoint, Call], None]) -> int:
        call = Call(
            definition=endpoint.definition,
            action=endpoint.action,
            credentials=self._credentials,
            requested=RequestedContext(None, None, None),
            report=CallReport(),
            request_id="bench",
            call_id="bench",
        )

        def within(env: Any) -> int:
            work(env, endpoint, call)
            return int(env.cr.sql_log_count)

        return self._app.services.gateway.run(call, within)

    def _endpoint(self, action: Action, api: str = configure.API) -> Endpoint:
        # Looked up at each call: the catalog is replaced when Odoo's registry is.
        endpoints = self._app.endpoints
        return next(each for each in endpoints if each.action is action and each.definition.name == api)


def one_query(env: Any) -> int:
    """Ask the database for one thing that it need not look up."""
    env.cr.execute("SELECT 1")
    return int(env.cr.sql_log_count)
