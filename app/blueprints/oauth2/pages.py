"""The pages for persons: log in, decide what a client app may do, and see and withdraw what they have allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, request
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2 import FatalClientError, OAuth2Error
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidRequestFatalError

from app.auth import login
from app.auth.login import Attempt
from app.blueprints.oauth2 import strangers
from app.blueprints.oauth2.forms import ConsentForm, LoginForm, WithdrawForm
from app.blueprints.oauth2.rendering import page, see_other
from app.blueprints.oauth2.server import AuthorizationServer
from app.blueprints.oauth2.validator import InvalidTargetError, Validator
from app.clients import consents, resources
from app.clients import store as clients
from app.clients.document import LOOPBACK
from app.clients.metadata import Unfit
from app.clients.store import Client
from app.definitions.definition import Definition
from app.definitions.scopes import Scope
from app.errors import TooManyRequests
from app.literals import to_number
from app.mcp.tools import Tool
from app.principal import Person
from app.web.hooks import set_session_cookie
from app.web.http_methods import is_safe
from app.web.persons import current_visitor, person_of_cookie
from app.web.routing import served_endpoints
from app.web.services import services
from odoo_bridge.credentials import SecondFactorRequired
from odoo_bridge.errors import Denied
from odoo_bridge.sessions import COOKIE
from odoo_bridge.transaction import Environment

blueprint = Blueprint(
    "consent",
    __name__,
    url_prefix="/api/oauth2",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)

#: The page of the docs, whose strangers log in here too.
_DOCS = "/api/docs"


class ConsentRequest(NamedTuple):
    """A client app's request for a person's consent, for the tools of AI agents or for all else.

    ``answer`` is the address to go back to, None if not decided.
    """

    person: Person
    client: Client
    scopes: list[str]
    redirect_uri: str
    for_tools: bool
    answer: str | None


@blueprint.route("/authorize", methods=["GET", "POST"])
def authorize() -> Response:
    """Ask the person for consent, and send them back with a code or an error (RFC 6749 4.1.1).

    What is asked for is checked before the page is shown and once more with the code: the client app may have lost
    it meanwhile.
    """
    if not request.cookies.get(COOKIE):
        return _to_login()
    try:
        strangers.look_up(request.args.get("client_id", ""))
    except Unfit as error:
        return page("error.html", status=400, message=str(error))
    form = ConsentForm()
    allowed = bool(form.allow.data) if form.validate_on_submit() else None
    try:
        asked = services().transactions.run(lambda root: _asked(root, allowed))
    except FatalClientError as error:  # the client app is not to be trusted with a redirect
        return page("error.html", status=400, message=error.description or error.error)
    except OAuth2Error as error:
        return see_other(_from_here(error.in_uri(error.redirect_uri)))
    if asked is None:
        return _to_login()
    return see_other(_from_here(asked.answer)) if asked.answer else _consent_page(asked, form)


def _from_here(location: str) -> str:
    """Return an address to go back to that says who sends there (RFC 9207 2)."""
    sent: str = add_params_to_uri(location, [("iss", request.host_url.rstrip("/"))])
    return sent


def _to_login() -> Response:
    return see_other(f"/api/oauth2/login?next={quote(request.full_path)}")


def _consent_page(asked: ConsentRequest, form: ConsentForm) -> Response:
    definitions = [
        definition
        for definition in services().catalog.snapshot.definitions.values()
        if definition.document.published and asked.client.name in definition.document.clients
    ]
    return page(
        "consent.html",
        form_targets=asked.redirect_uri,
        form=form,
        person=asked.person,
        client=asked.client,
        apis=sorted(definition.name for definition in definitions),
        meanings=_meanings(asked.scopes),
        tools=_tools(definitions, asked.scopes) if asked.for_tools else None,
        host=urlsplit(asked.redirect_uri).netloc or asked.redirect_uri,
        is_local=urlsplit(asked.redirect_uri).hostname in LOOPBACK,
    )


def _tools(definitions: Iterable[Definition], scopes: Iterable[str]) -> dict[str, list[Tool]]:
    """Return the tools of each API that a token with these scopes opens."""
    names, held = {definition.id for definition in definitions}, set(scopes)
    served = served_endpoints()
    opened = [
        endpoint
        for endpoint in served
        if endpoint.definition.id in names and all(scope.value in held for scope in endpoint.action.scopes)
    ]
    found: dict[str, list[Tool]] = {}
    for tool in services().toolbox.of(served, opened).listed:
        found.setdefault(tool.endpoint.definition.name, []).append(tool)
    return found


@blueprint.route("/login", methods=["GET", "POST"])
def log_in() -> Response:
    """Log in with Odoo's credentials, and go on to where the person came from."""
    following = _safe_target(request.args.get("next", ""))
    form, message = LoginForm(), ""
    if form.validate_on_submit():
        database, address = services().transactions.database, request.remote_addr or ""
        attempt = Attempt(database, form.login.data, form.password.data, address, request.cookies.get(COOKIE))
        try:
            opened = login.with_password(services().transactions, services().throttle, attempt)
        except TooManyRequests as error:
            refused = page("login.html", form=form, message=error.message, status=error.status)
            refused.headers.update(error.headers)
            return refused
        except (Denied, SecondFactorRequired) as error:
            message = error.message
        else:
            response = see_other(following)
            set_session_cookie(response, opened.sid, opened.max_age)
            return response
    return page("login.html", form=form, message=message, status=401 if message else 200)


def _safe_target(target: str) -> str:
    """Return the address to go on at after the login: a page of ours for persons, whatever the request asked for."""
    inside = target == _DOCS or target.startswith(
        ("/api/oauth2/authorize?", "/api/oauth2/consents", "/api/oauth2/approvals/", f"{_DOCS}?")
    )
    return target if inside and target.isprintable() else "/api/oauth2/consents"


@blueprint.route("/consents", methods=["GET", "POST"])
def given_consents() -> Response:
    """Show a person's consents, and withdraw them: their tokens end at once."""
    person = current_visitor()
    if person is None:
        return see_other("/api/oauth2/login?next=/api/oauth2/consents")
    form = WithdrawForm()
    client_id = to_number(form.client.data) if form.validate_on_submit() else None
    if client_id is not None:
        url = form.url.data or ""
        services().transactions.run(lambda root: consents.withdraw(root.cr, client_id, person.uid, url))
        return see_other("/api/oauth2/consents")
    given = services().transactions.run(lambda root: consents.every(root.cr, person.uid))
    shown = [(client, _meanings(scopes), when) for client, scopes, when in given]
    return page("consents.html", form=form, person=person, consents=shown)


def _asked(root: Environment, allowed: bool | None) -> ConsentRequest | None:
    """Return the client app's request for consent, and its answer if decided; None where nobody is logged in.

    ``allowed`` is what the person has just said, None for nothing. Raises OAuth2Error.
    """
    person = person_of_cookie(root)
    if person is None:
        return None
    here = resources.of(request.host_url)
    server = AuthorizationServer(
        Validator(root.cr, services().hasher(), services().throttle, request.remote_addr or "", here)
    )
    try:
        scopes, credentials = server.validate_authorization_request(_address(), "GET", None, {})
    except ValueError:  # what oauthlib, urllib and psycopg2 say of parameters that are no form, no address and no text
        raise InvalidRequestFatalError(description="The address of this page is malformed.") from None
    found = credentials["request"]
    for_tools = server.validator.wanted_resource(found) is not None
    if found.client.url and not for_tools:
        message = "Clients that describe themselves are let in for the tools of AI agents alone: name the resource."
        raise InvalidTargetError(message, request=found)
    asked = ConsentRequest(person, found.client, scopes, credentials["redirect_uri"], for_tools, None)
    if allowed is False:
        refused = AccessDeniedError(state=credentials.get("state"))
        return asked._replace(answer=refused.in_uri(asked.redirect_uri))
    asks_anew = not is_safe(request.method) or request.args.get("prompt") == "consent"
    if allowed is None and (asks_anew or not _is_known(root.cr, asked)):
        return asked
    headers, _, _ = server.create_authorization_response(_address(), "GET", None, {}, scopes, {"user": person.uid})
    return asked._replace(answer=headers["Location"])


def _is_known(cr: Any, asked: ConsentRequest) -> bool:
    """True if the person has allowed as much before, for the same resource.

    Any app on a device can name a public client app's id and take its address: the person has to say that it is the
    one that they use (RFC 8252 8.6).
    """
    resource = resources.of(request.host_url) if asked.for_tools else ""
    allowed = consents.allowed(cr, asked.client, asked.person.uid, resource)
    if not asked.scopes or not set(asked.scopes) <= set(allowed):
        return False
    proven = not asked.client.url and clients.has_secret(cr, asked.client)
    return asked.redirect_uri.startswith("https://") or proven


def _address() -> str:
    """Return the address as it was asked for, still encoded: oauthlib takes no other letters than ASCII's."""
    return f"{request.base_url}?{request.query_string.decode('latin-1')}"


def _meanings(scopes: Iterable[str]) -> list[str]:
    """Return the meanings of scopes, in a person's words."""
    held = set(scopes)
    return [scope.meaning for scope in Scope if scope.value in held]
