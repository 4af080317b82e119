"""The url map: Gatehouse's own routes and those of the published APIs, as Werkzeug rules.

404, 405 and Allow come from Werkzeug. The map is replaced as one object when the routes change, so a request
sees either the old one or the new one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

from flask import Flask, Request
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule

from app.definitions.definition import Definition
from app.errors import BadRequest, DefinitionOutdated
from app.operations import actions
from app.operations.actions import Aspect
from app.operations.endpoints import Endpoint, all_endpoints
from app.operations.trial import draft_of
from app.web.current import RequestState, current_app_object, current_request, current_state
from app.web.lazy_rule import LazyRule
from app.web.services import Services
from app.web.steps import mark_of

#: How often a request is begun, where the registry and with it its definition change while it is under way.
_TRIES = 5


#: The view of each action: ``@serves(SEARCH)``.
serves: Aspect[Callable[..., ResponseReturnValue]] = Aspect("serves")


def _public_id() -> type[BaseConverter]:
    """Return the converter of ids in paths. What an action is called there is none: other methods of it are a 405."""
    names = {action.suffix.removeprefix("/") for action in actions.ACTIONS if "<" not in action.suffix}
    reserved = "|".join(sorted(map(re.escape, names - {""})))
    return type("PublicIdConverter", (BaseConverter,), {"regex": f"(?!(?:{reserved})$)[^/]+"})


class _KeyValue(BaseConverter):
    """Value of a key, which can be anything; Werkzeug sees it decoded (``raw_path`` does not)."""

    regex = r"[\s\S]+"
    part_isolating = False


class ApiRule(LazyRule):
    """A rule that leads to one endpoint of an API."""

    provide_automatic_options = True  # Flask answers OPTIONS with Allow

    def __init__(self, target: Endpoint) -> None:
        super().__init__(
            target.path_with("<id:public_id>", "<value:value>"),
            endpoint=target.action.view,
            methods=[target.method, "OPTIONS"],
        )
        self.target = target


def is_panel(path: str) -> bool:
    """True if a path is the admin panel's."""
    return path == "/admin" or path.startswith("/admin/")


def served_endpoints() -> tuple[Endpoint, ...]:
    """Return all endpoints of APIs that are served; the same object as long as they stay as they are."""
    return cast(Gatehouse, current_app_object()).endpoints


def current_endpoint() -> Endpoint:
    """Return the endpoint that the current request has been routed to."""
    return cast(ApiRule, current_request().url_rule).target


def current_definition() -> Definition | None:
    """Return the API that the request is for, also where it failed before anything was done."""
    found = current_state().definition
    if found is not None:
        return found
    rule = current_request().url_rule
    return rule.target.definition if isinstance(rule, ApiRule) else None


class Gatehouse(Flask):
    """Flask with a url map that can be replaced while it serves."""

    url_rule_class = LazyRule
    app_ctx_globals_class = RequestState  # type: ignore[assignment]  # it does what Flask asks of its own
    services: Services
    #: What is served of the published APIs; replaced as a whole.
    endpoints: tuple[Endpoint, ...] = ()
    _own_rules: tuple[Rule, ...] = ()
    _api_rules: tuple[ApiRule, ...] = ()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a view or hook as it is: none is a coroutine, which Flask would ask each of them at every request."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return the url map for a request; to a trial of a draft, that draft is served besides our own routes."""
        draft = draft_of(request.environ) if request is not None else None
        if draft is None or request is None:
            return super().create_url_adapter(request)
        url_map, _ = self._map_of(all_endpoints(draft))
        return url_map.bind_to_environ(request.environ, subdomain="")

    def dispatch_request(self) -> ResponseReturnValue:
        """Answer the current request; anew, with the present definition, where Odoo was changed in between.

        A step of an atomic batch is not begun anew by itself, but its batch.
        """
        _refer()
        mark = mark_of(current_request().environ)
        if mark is not None and mark.together is not None:
            return super().dispatch_request()
        for _ in range(_TRIES - 1):
            try:
                return super().dispatch_request()
            except DefinitionOutdated:
                self.services.catalog.refresh()
                self._route_again()
        return super().dispatch_request()

    def _route_again(self) -> None:
        """Find the current request's rule in the present url map."""
        request_ctx.request.routing_exception = None
        request_ctx.url_adapter = self.create_url_adapter(request_ctx.request)
        request_ctx.match_request()
        _refer()

    def freeze_own_rules(self) -> None:
        """Remember the routes of the blueprints; called once, when all are registered."""
        self._own_rules = tuple(self.url_map.iter_rules())

    def publish(self, served: Sequence[Endpoint]) -> None:
        """Serve these endpoints, and no others, besides the own routes.

        Where the routes stay as they are (Odoo's registry has changed), so does the map.
        """
        self.endpoints = tuple(served)
        if [_route(rule.target) for rule in self._api_rules] == [_route(endpoint) for endpoint in served]:
            for api_rule, endpoint in zip(self._api_rules, served, strict=True):
                api_rule.target = endpoint
            return
        self.url_map, self._api_rules = self._map_of(served)

    def _map_of(self, served: Sequence[Endpoint]) -> tuple[Map, tuple[ApiRule, ...]]:
        """Return a url map of our own routes and these endpoints, and the rules of the endpoints."""
        converters = {"id": _public_id(), "value": _KeyValue}
        url_map = Map(strict_slashes=True, merge_slashes=False, converters=converters)
        for own in self._own_rules:
            rule = own.empty()
            rule.provide_automatic_options = own.provide_automatic_options  # type: ignore[attr-defined]
            url_map.add(rule)
        api_rules = tuple(map(ApiRule, served))
        for api_rule in api_rules:
            url_map.add(api_rule)
            self.view_functions[api_rule.target.action.view] = serves[api_rule.target.action]
        url_map.update()
        return url_map, api_rules


def _refer() -> None:
    """Put references in place of their text into the parameters of the path, of a step of a batch.

    Raises BadRequest for a step that has come elsewhere than its batch allows: nothing else is a step.
    """
    request = current_request()
    mark, given, rule = mark_of(request.environ), request.view_args, request.url_rule
    if mark is None or request.routing_exception is not None:
        return
    if not isinstance(rule, ApiRule) or mark.endpoint is None or _route(rule.target) != _route(mark.endpoint):
        raise BadRequest("What is served at this path is no step.", name="invalid_step", data={"parameter": "path"})
    if given:
        request.view_args = {name: mark.in_path.get(value, value) for name, value in given.items()}


def _route(endpoint: Endpoint) -> tuple[str, str, str]:
    return endpoint.method, endpoint.path, endpoint.action.view
