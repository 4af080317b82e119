"""The pages for persons: log in, decide what a client app may do, and see and withdraw what they have allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from oauthlib.oauth2 import FatalClientError, OAuth2Error
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidRequestFatalError

from app.auth import login
from app.auth.login import Attempt
from app.blueprints.oauth2.forms import ConsentForm, LoginForm, WithdrawForm
from app.blueprints.oauth2.server import AuthorizationServer
from app.blueprints.oauth2.validator import Validator
from app.clients import consents
from app.clients import store as clients
from app.clients.store import Client
from app.definitions.scopes import Scope
from app.errors import TooManyRequests
from app.literals import to_number
from app.principal import Person
from app.web.hooks import set_session_cookie
from app.web.http_methods import is_safe
from app.web.pages import harden
from app.web.persons import current_visitor, person_of_cookie
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
    """A client app's request for a person's consent; ``answer`` is the address to go back to, None if not decided."""

    person: Person
    client: Client
    scopes: list[str]
    redirect_uri: str
    answer: str | None


@blueprint.route("/authorize", methods=["GET", "POST"])
def authorize() -> Response:
    """Ask the person for consent, and send them back with a code or an error (RFC 6749 4.1.1).

    What is asked for is checked before the page is shown and once more with the code: the client app may have lost
    it meanwhile.
    """
    if not request.cookies.get(COOKIE):
        return _to_login()
    form = ConsentForm()
    allowed = bool(form.allow.data) if form.validate_on_submit() else None
    try:
        asked = services().transactions.run(lambda root: _asked(root, allowed))
    except FatalClientError as error:  # the client app is not to be trusted with a redirect
        return _page("error.html", status=400, message=error.description or error.error)
    except OAuth2Error as error:
        return _see_other(error.in_uri(error.redirect_uri))
    if asked is None:
        return _to_login()
    return _see_other(asked.answer) if asked.answer else _consent_page(asked, form)


def _to_login() -> Response:
    return _see_other(f"/api/oauth2/login?next={quote(request.full_path)}")


def _consent_page(asked: ConsentRequest, form: ConsentForm) -> Response:
    apis = sorted(
        definition.name
        for definition in services().catalog.snapshot.definitions.values()
        if definition.document.published and asked.client.name in definition.document.clients
    )
    return _page(
        "consent.html",
        form_targets=asked.redirect_uri,
        form=form,
        person=asked.person,
        client=asked.client,
        apis=apis,
        meanings=_meanings(asked.scopes),
        host=urlsplit(asked.redirect_uri).netloc or asked.redirect_uri,
    )


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
            page = _page("login.html", form=form, message=error.message, status=error.status)
            page.headers.update(error.headers)
            return page
        except (Denied, SecondFactorRequired) as error:
            message = error.message
        else:
            response = _see_other(following)
            set_session_cookie(response, opened.sid, opened.max_age)
            return response
    return _page("login.html", form=form, message=message, status=401 if message else 200)


def _safe_target(target: str) -> str:
    """Return the address to go on at after the login: a page of ours for persons, whatever the request asked for."""
    inside = target == _DOCS or target.startswith(("/api/oauth2/authorize?", "/api/oauth2/consents", f"{_DOCS}?"))
    return target if inside and target.isprintable() else "/api/oauth2/consents"


@blueprint.route("/consents", methods=["GET", "POST"])
def given_consents() -> Response:
    """Show a person's consents, and withdraw them: their tokens end at once."""
    person = current_visitor()
    if person is None:
        return _see_other("/api/oauth2/login?next=/api/oauth2/consents")
    form = WithdrawForm()
    client_id = to_number(form.client.data) if form.validate_on_submit() else None
    if client_id is not None:
        services().transactions.run(lambda root: consents.withdraw(root.cr, client_id, person.uid))
        return _see_other("/api/oauth2/consents")
    given = services().transactions.run(lambda root: consents.every(root.cr, person.uid))
    shown = [(client, _meanings(scopes), when) for client, scopes, when in given]
    return _page("consents.html", form=form, person=person, consents=shown)


def _asked(root: Environment, allowed: bool | None) -> ConsentRequest | None:
    """Return the client app's request for consent, and its answer if decided; None where nobody is logged in.

    ``allowed`` is what the person has just said, None for nothing. Raises OAuth2Error.
    """
    person = person_of_cookie(root)
    if person is None:
        return None
    server = AuthorizationServer(
        Validator(root.cr, services().hasher(), services().throttle, request.remote_addr or "")
    )
    try:
        scopes, credentials = server.validate_authorization_request(_address(), "GET", None, {})
    except ValueError:  # what oauthlib, urllib and psycopg2 say of parameters that are no form, no address and no text
        raise InvalidRequestFatalError(description="The address of this page is malformed.") from None
    asked = ConsentRequest(person, credentials["request"].client, scopes, credentials["redirect_uri"], None)
    if allowed is False:
        refused = AccessDeniedError(state=credentials.get("state"))
        return asked._replace(answer=refused.in_uri(asked.redirect_uri))
    asks_anew = not is_safe(request.method) or request.args.get("prompt") == "consent"
    if allowed is None and (asks_anew or not _is_known(root.cr, asked)):
        return asked
    headers, _, _ = server.create_authorization_response(_address(), "GET", None, {}, scopes, {"user": person.uid})
    return asked._replace(answer=headers["Location"])


def _is_known(cr: Any, asked: ConsentRequest) -> bool:
    """True if the person has allowed as much before.

    Any app on a device can name a public client app's id and take its address: the person has to say that it is the
    one that they use (RFC 8252 8.6).
    """
    if not asked.scopes or not set(asked.scopes) <= set(consents.allowed(cr, asked.client, asked.person.uid)):
        return False
    return asked.redirect_uri.startswith("https://") or clients.has_secret(cr, asked.client)


def _address() -> str:
    """Return the address as it was asked for, still encoded: oauthlib takes no other letters than ASCII's."""
    return f"{request.base_url}?{request.query_string.decode('latin-1')}"


def _see_other(location: str) -> Response:
    response = make_response(redirect(location, 303))
    response.headers["Referrer-Policy"] = "no-referrer"  # the address can hold a code
    return response


def _page(template: str, *, status: int = 200, form_targets: str = "", **values: Any) -> Response:
    """Render a page that runs no script, loads nothing foreign, and stands in no frame."""
    response = make_response(render_template(template, **values), status)
    # A browser asks the policy also for the redirect that follows a form.
    parts = urlsplit(form_targets)
    target = f" {parts.scheme}://{parts.netloc}" if parts.netloc else f" {parts.scheme}:" if parts.scheme else ""
    forms = f"form-action 'self'{target}"
    return harden(response, f"default-src 'none'; style-src 'self'; {forms}; frame-ancestors 'none'; base-uri 'none'")


def _meanings(scopes: Iterable[str]) -> list[str]:
    """Return the meanings of scopes, in a person's words."""
    held = set(scopes)
    return [scope.meaning for scope in Scope if scope.value in held]
