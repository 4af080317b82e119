"""The endpoints that programs call: token, revocation, introspection and metadata."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request
from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError

from app.blueprints.oauth2.server import AuthorizationServer
from app.blueprints.oauth2.validator import Validator
from app.clients import resources, strangers
from app.clients.store import Client
from app.definitions.scopes import DEFAULT_SCOPES, SCOPES
from app.web.services import services
from odoo_bridge.errors import BridgeError
from odoo_bridge.transaction import Environment

blueprint = Blueprint("oauth2", __name__)

#: What oauthlib's endpoints answer: headers, body, status.
Answer = tuple[dict[str, str], str, int]
Parameters = list[tuple[str, str]]


@blueprint.post("/api/oauth2/token")
def token() -> Response:
    """Exchange credentials, a code or a refresh token for an access token (RFC 6749 3.2)."""

    def work(server: AuthorizationServer, parameters: Parameters, headers: dict[str, str]) -> Answer:
        if not any(name == "grant_type" for name, _ in parameters):
            parameters = [*parameters, ("grant_type", "client_credentials")]
        answer: Answer = server.create_token_response(request.base_url, "POST", parameters, headers)
        return answer

    return _serve(work)


@blueprint.post("/api/oauth2/revoke")
def revoke() -> Response:
    """Revoke a token of one's own; an unknown one is no error (RFC 7009)."""
    answer = _serve(
        lambda server, parameters, headers: server.create_revocation_response(
            request.base_url, "POST", parameters, headers
        )
    )
    if answer.status_code == 200:
        with contextlib.suppress(BridgeError):  # it is done, and the other workers learn of it by themselves as well
            services().transactions.look()
    return answer


@blueprint.post("/api/oauth2/introspect")
def introspect() -> Response:
    """Introspect a token of the client app's own (RFC 7662)."""
    return _serve(
        lambda server, parameters, headers: server.create_introspect_response(
            request.base_url, "POST", parameters, headers
        ),
        secret_required=True,
    )


@blueprint.get("/.well-known/oauth-authorization-server")
def metadata() -> Response:
    """Describe this server to clients (RFC 8414)."""
    root = request.host_url.rstrip("/")
    with_secret = ["client_secret_basic", "client_secret_post"]
    return jsonify(
        issuer=root,
        authorization_endpoint=f"{root}/api/oauth2/authorize",
        token_endpoint=f"{root}/api/oauth2/token",
        revocation_endpoint=f"{root}/api/oauth2/revoke",
        introspection_endpoint=f"{root}/api/oauth2/introspect",
        scopes_supported=list(SCOPES),
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=["authorization_code", "client_credentials", "refresh_token"],
        token_endpoint_auth_methods_supported=[*with_secret, "none"],
        revocation_endpoint_auth_methods_supported=[*with_secret, "none"],
        introspection_endpoint_auth_methods_supported=with_secret,
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
        client_id_metadata_document_supported=_serves_strangers(),
    )


def _serves_strangers() -> bool:
    """True if clients of any host may ask that describe themselves."""
    try:
        return services().transactions.run(lambda root: strangers.are_served(root.cr))
    except BridgeError:  # the description is good for all else
        return False


@blueprint.get("/.well-known/oauth-protected-resource")
@blueprint.get(f"/.well-known/oauth-protected-resource{resources.AGENTS}")
def protected_resource() -> Response:
    """Describe the MCP server to those who want a token for it (RFC 9728 3)."""
    root = request.host_url.rstrip("/")
    return jsonify(
        resource=resources.of(root),
        authorization_servers=[root],
        scopes_supported=list(DEFAULT_SCOPES),
        bearer_methods_supported=["header"],
        resource_name="Gatehouse",
        resource_documentation=f"{root}/api/docs",
    )


def _serve(
    work: Callable[[AuthorizationServer, Parameters, dict[str, str]], Answer], *, secret_required: bool = False
) -> Response:
    """Run one of oauthlib's endpoints in a transaction, on the parameters of the body alone."""
    headers = {"Authorization": request.headers.get("Authorization", ""), "Content-Type": request.mimetype}
    parameters = list(request.form.items(multi=True))

    def within(root: Environment) -> Answer:
        address = request.remote_addr or ""
        validator = Validator(
            root.cr,
            services().hasher(),
            services().throttle,
            address,
            resources.of(request.host_url),
            secret_required=secret_required,
            executors=_executors,
        )
        return work(AuthorizationServer(validator), parameters, headers)

    try:
        _check_form(parameters)
        answer = services().transactions.run(within)
    except OAuth2Error as error:
        answer = ({"Content-Type": "application/json"}, error.json, error.status_code)
    return _answer(*answer)


def _executors(client: Client) -> list[int]:
    """Return as whom the APIs run that a client app may call, where they name a user."""
    served = (each for each in services().catalog.snapshot.definitions.values() if each.document.published)
    return [each.run_as for each in served if each.run_as is not None and client.name in each.document.clients]


def _check_form(parameters: Parameters) -> None:
    """Refuse forms that put secrets where they don't belong, or leave open which one is meant."""
    if request.query_string:
        raise InvalidRequestError("Parameters belong into the body, where no log shows them.")
    if request.mimetype not in ("application/x-www-form-urlencoded", "multipart/form-data") and request.get_data():
        raise InvalidRequestError("The body must be form-encoded or multipart.")
    names = [name for name, _ in parameters]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidRequestError(f"Parameter {twice[0][:40]} is given twice.")
    if any("\x00" in value for _, value in parameters):
        raise InvalidRequestError("A parameter holds a NUL.")
    if request.headers.get("Authorization", "").lower().startswith("basic ") and "client_secret" in names:
        raise InvalidRequestError("The client authenticates twice: by HTTP Basic and in the body.")


def _answer(headers: dict[str, str], body: str | None, status: int) -> Response:
    response = Response(body or "", status=status, content_type="application/json")
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="gatehouse"'
    return response
