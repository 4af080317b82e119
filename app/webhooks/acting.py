"""Work as the client app of a webhook, by its API as it is at the moment: what a call of the app itself may do."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TypeVar, cast

from app.capture.keeper import Keeper
from app.catalog.catalog import Catalog
from app.definitions.definition import Definition, Exposure, Node
from app.errors import (
    ApiError,
    BadRequest,
    DefinitionOutdated,
    Forbidden,
    Gone,
    NotFound,
    Unauthorized,
    Unavailable,
    from_bridge,
)
from app.operations.actions import DELTA
from app.operations.call import Call
from app.operations.cursors import Cursors
from app.operations.delta.answers import NotCaptured
from app.operations.delta.delta import shown
from app.operations.gateway import Gateway
from app.operations.report import CallReport
from app.operations.single import RecordOperations
from app.policy import domain, query
from app.policy.context import RequestedContext
from app.principal import Credentials
from app.webhooks.store import Wanted
from odoo_bridge.changes.needs import Needs
from odoo_bridge.errors import BridgeError
from odoo_bridge.transaction import Environment

T = TypeVar("T")


class Ended(Exception):
    """The right to be told has gone, which nothing but an admin's or the client app's doing brings back."""

    def __init__(self, reason: str, error: ApiError | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error


class Unread(Exception):
    """Records could not be read, though the client app may: one of them may be at fault, or the moment."""


class Acting:
    """Runs work as the client apps of webhooks."""

    def __init__(
        self,
        gateway: Gateway,
        keeper: Keeper,
        catalog: Catalog,
        cursors: Callable[[], Cursors],
    ) -> None:
        self._gateway = gateway
        self._keeper = keeper
        self._catalog = catalog
        self._cursors = cursors

    def run(self, wanted: Wanted, work: Callable[[RecordOperations], T]) -> T:
        """Return the result of work on the model's records; those that the webhook's domain leaves out are not there.

        Raises Ended, and ApiError for what may pass, or for a delta that can't be gone on from.
        """
        return self._run(wanted, work)

    def read(self, wanted: Wanted, work: Callable[[RecordOperations, Node], T]) -> T:
        """Return the result of work that reads records by the node that the webhook shows.

        Raises Ended and ApiError as ``run``, and Unread where it is the reading that has failed.
        """
        begun: list[bool] = []

        def reading(do: RecordOperations) -> T:
            node = query.narrow(shown(do), wanted.fields)
            begun.append(True)
            return work(do, node)

        try:
            return self._run(wanted, reading)
        except DefinitionOutdated:
            raise
        except Exception as error:
            if begun:
                raise Unread(str(error)) from error
            raise

    def _run(self, wanted: Wanted, work: Callable[[RecordOperations], T]) -> T:
        definition, exposure = self._subject(wanted)
        call = _call(definition, wanted.client_id)

        def within(env: Environment) -> T:
            # The gateway lets nothing through to an API with problems, in which alone there is none.
            do = RecordOperations(env, definition, cast(Exposure, exposure), call.report, self._cursors)
            own = domain.check(wanted.domain, do.exposure.searchable, definition.ids)
            do.domain = [*do.domain, *own]
            return work(do)

        try:
            return self._gateway.run(call, within)
        except NotCaptured as error:
            raise self._not_captured(error) from error
        except (Unauthorized, Forbidden, BadRequest, NotFound) as error:
            if error.name == "invalid_delta_token":  # of another user, language or key than the present one
                raise Gone(error.message) from error
            raise Ended(error.message, error) from error
        except BridgeError as error:
            told = from_bridge(error)
            if isinstance(told, (Forbidden, Unauthorized, BadRequest)):
                raise Ended(told.message, told) from error
            raise told from error

    def _subject(self, wanted: Wanted) -> tuple[Definition, Exposure | None]:
        """Return the API and the model of a webhook, None where the API is out of service. Raises Ended."""
        try:
            return _found(self._catalog.served(wanted.api_id), wanted.model)
        except Ended:
            # This process may know of an API a moment later than others, and an end is for good.
            try:
                self._catalog.refresh()
            except BridgeError as error:
                raise from_bridge(error) from error
            return _found(self._catalog.served(wanted.api_id), wanted.model)

    def keep(self, needs: Needs) -> None:
        """Have tables captured for longer, which were asked for once."""
        if needs:
            self._keeper.ask_again(needs)

    def _not_captured(self, error: NotCaptured) -> ApiError:
        """Return the error of tables that are not captured, and have them captured if anything is."""
        if not self._keeper.is_on:
            return Unavailable("The capture of changes is switched off.", name="capture_off", retry_after=300)
        self._keeper.ask(error.needs)
        return error.error


def _found(definition: Definition | None, model: str) -> tuple[Definition, Exposure | None]:
    if definition is None:
        raise Ended("The API is not served.")
    if not definition.document.webhooks:
        raise Ended("The API has no webhooks.")
    exposure = definition.exposures.get(model)
    if exposure is None and not definition.problems:
        raise Ended(f"The API has no records of {model}.")
    return definition, exposure


def _call(definition: Definition, client_id: int) -> Call:
    """Return the call of a client app by itself; it counts against no rate, as nobody has made it."""
    name = f"webhook-{secrets.token_hex(8)}"
    return Call(
        definition=definition,
        action=DELTA,
        credentials=Credentials(client=client_id),
        requested=RequestedContext(None, None, None),
        report=CallReport(),
        request_id=name,
        call_id=name,
        goes_on=True,
    )
