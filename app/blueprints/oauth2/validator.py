"""Answers to oauthlib: its ``RequestValidator`` over the tables of ``app.clients``."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache, partial
from typing import Any

from oauthlib.common import Request
from oauthlib.oauth2 import OAuth2Error, RequestValidator

from app.auth.throttle import Throttle
from app.blueprints.oauth2.client_credentials import credentials_of, sends_secret
from app.blueprints.oauth2.redirects import registered
from app.clients import codes, consents, grants, metadata, strangers, tokens
from app.clients import store as clients
from app.clients.resources import canonical
from app.clients.store import Client
from app.clients.tokens import Hasher
from app.definitions.scopes import DEFAULT_SCOPES
from app.observe import meters


class InvalidTargetError(OAuth2Error):  # type: ignore[misc]
    """The resource is unknown, or malformed (RFC 8707 2)."""

    error = "invalid_target"


class Validator(RequestValidator):  # type: ignore[misc]  # oauthlib has no types
    """Answers within one transaction.

    ``address`` is the caller's, for the throttle; ``resource`` the one that tokens can be asked for. For introspection,
    ``secret_required`` refuses public client apps, and ``executors`` are the users as whom the APIs of a client app run
    its calls, where those APIs name one.
    """

    def __init__(
        self,
        cr: Any,
        hasher: Hasher,
        throttle: Throttle,
        address: str,
        resource: str,
        *,
        secret_required: bool = False,
        executors: Callable[[Client], Collection[int]] = lambda client: (),
    ) -> None:
        self.secret_required = secret_required
        self.executors = executors
        self.cr = cr
        self.hasher = hasher
        self.throttle = throttle
        self.address = address
        self.resource = resource
        # oauthlib asks in several steps about the same thing, of which a transaction sees one state.
        self._client_of = lru_cache(partial(_client_of, cr))
        self._has_secret = lru_cache(partial(clients.has_secret, cr))
        self._proven: Client | None = None  # it has shown one of its secrets
        self._code_of = lru_cache(partial(codes.find, cr, hasher))

    # Client authentication: RFC 6749 2.3 and 3.2.1.

    def client_authentication_required(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        """Every client app that has a secret must show it; without one it is public and names itself alone."""
        if self.secret_required:
            return True
        client = self._named(request)
        return client is None or sends_secret(request) or self._is_confidential(client)

    def authenticate_client(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        """True if id and secret, by HTTP Basic or in the body, belong to an active client app.

        Raises TooManyRequests for wrong ones alone: the right secret is good whatever strangers have sent.
        """
        credentials = credentials_of(request)
        if credentials is None:
            return False
        public_id, secret = credentials
        client = self._client_of(public_id)
        if client is not None and client.url:  # the secret of the app that it calls as is not its own
            return False
        good = client is not None and clients.secret_matches(self.cr, self.hasher, client, secret)
        meters.CREDENTIALS.labels("client_secret", "good" if good else "wrong").inc()
        if client is None or not good:
            self.throttle.wrong("client_secret", self.address, public_id)
            return False
        self._proven = client
        if not client.active:
            return False
        request.client, request.client_id = client, public_id
        return True

    def authenticate_client_id(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> bool:
        """True if the id names an active public client app."""
        client = self._client_of(client_id) if client_id else None
        if client is None or not client.active or self._is_confidential(client):
            return False
        request.client = client
        return True

    def _named(self, request: Request) -> Client | None:
        credentials = credentials_of(request)
        public_id = credentials[0] if credentials else request.client_id
        return self._client_of(public_id) if public_id else None

    def _is_confidential(self, client: Client) -> bool:
        """True if the client app has a secret, as one has that has shown it."""
        return not client.url and (client == self._proven or self._has_secret(client))

    # What a client app may ask for.

    def validate_client_id(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> bool:
        """True if the id names an active client app that may ask persons for consent."""
        client = self._client_of(client_id)
        if client is None or not client.active or not client.redirect_uris:
            return False
        request.client = client
        return True

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Client, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Acting by itself takes a secret; acting for persons takes a redirect URI."""
        if grant_type == "client_credentials":
            return self._is_confidential(client)
        return grant_type in ("authorization_code", "refresh_token") and bool(client.redirect_uris)

    def validate_response_type(
        self, client_id: str, response_type: str, client: Client, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Codes, and nothing else: tokens never stand in a URL."""
        return response_type == "code"

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Client, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """True if the client app has all the scopes that it asks for.

        Of those for the MCP server it is given what it has: agents ask for all that there is (RFC 6749 3.3).
        """
        if self.wanted_resource(request) is not None:
            scopes[:] = [scope for scope in scopes if scope in client.scopes and scope in DEFAULT_SCOPES]
            return bool(scopes)
        return set(scopes) <= set(client.scopes)

    def get_default_scopes(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> list[str]:
        """Return all that the client app has."""
        return list(request.client.scopes)

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """True if the URI is one that is registered; see ``registered``."""
        return registered(redirect_uri, request.client)

    def wanted_resource(self, request: Request) -> str | None:
        """Return the resource that a token is asked for, None where it is for none; raises InvalidTargetError."""
        given = getattr(request, "resource", None) or None
        if "resource" in request.duplicate_params or (given is not None and canonical(given) != self.resource):
            raise InvalidTargetError(f"The only resource here is {self.resource}, named once.", request=request)
        return self.resource if given else None

    def _granted_resource(self, request: Request) -> str | None:
        """Return the resource of a token: that of the grant that it comes of, or else of the request."""
        wanted, granted = self.wanted_resource(request), getattr(request, "granted_resource", None)
        if request.grant_type == "refresh_token" and wanted is not None and granted is None:
            message = "This refresh token names no resource: ask for consent with it (RFC 8707 2.2)."
            raise InvalidTargetError(message, request=request)
        return granted or wanted

    def get_default_redirect_uri(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> str | None:
        """Return the only URI that is registered; with several, one has to be named."""
        uris = request.client.redirect_uris
        return uris[0] if len(uris) == 1 else None

    # Authorization codes: RFC 6749 4.1 with RFC 7636.

    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        """Always."""
        return True

    def save_authorization_code(
        self, client_id: str, code: dict[str, str], request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """Store a code for what the person has allowed."""
        resource = self.wanted_resource(request)
        consents.grant(self.cr, request.client, request.user, request.scopes, resource or "")
        codes.store(
            self.cr,
            self.hasher,
            code["code"],
            request.client,
            uid=request.user,
            scopes=request.scopes,
            redirect_uri=request.redirect_uri,
            redirect_uri_given=not request.using_default_redirect_uri,
            challenge=request.code_challenge,
            resource=resource,
        )

    def validate_code(
        self, client_id: str, code: str, client: Client, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """True if the code is good for this client app; one that comes twice revokes what it led to (4.1.2)."""
        found = self._code_of(code)
        if found is None or (found.client_id, found.client_url) != (client.id, client.url):
            return False
        if found.used:
            grants.revoke_family(self.cr, found.family)
            return False
        scopes = client.still(found.scopes)
        if not scopes or not found.person_active:  # what the person could allow was taken away since
            return False
        request.user, request.scopes, request.family = found.uid, list(scopes), found.family
        request.granted_resource = found.resource
        return True

    def confirm_redirect_uri(
        self,
        client_id: str,
        code: str,
        redirect_uri: str,
        client: Client,
        request: Request,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        """True if the URI is the one of the authorization request, and was named again if it was named there.

        It has to be registered still: a code that went to an address which was taken back is worth nothing.
        """
        found = self._code_of(code)
        if found is None or (found.redirect_uri_given and request.using_default_redirect_uri):
            return False
        return found.redirect_uri == redirect_uri and registered(redirect_uri, client)

    def get_code_challenge(self, code: str, request: Request) -> str | None:
        """Return the challenge that the code was asked for with."""
        found = self._code_of(code)
        return found.challenge if found else None

    def get_code_challenge_method(self, code: str, request: Request) -> str:
        """Return S256: no other is taken."""
        return "S256"

    def invalidate_authorization_code(
        self, client_id: str, code: str, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """Mark the code as used."""
        codes.use(self.cr, code)

    # Tokens.

    def save_bearer_token(self, token: dict[str, Any], request: Request, *args: Any, **kwargs: Any) -> None:
        """Store the issued tokens: an access token, and for a person a refresh token too."""
        person = getattr(request, "user", None) if request.grant_type != "client_credentials" else None
        family = getattr(request, "family", None)
        shared = {"uid": person, "scopes": token["scope"].split(), "family": family}
        shared["resource"] = self._granted_resource(request)
        grants.clear_expired(self.cr)
        grants.store_token(
            self.cr,
            self.hasher,
            token["access_token"],
            tokens.ACCESS,
            request.client,
            lifetime=token["expires_in"],
            **shared,
        )
        if "refresh_token" in token:
            grants.store_token(
                self.cr,
                self.hasher,
                token["refresh_token"],
                tokens.REFRESH,
                request.client,
                lifetime=grants.REFRESH_LIFETIME,
                **shared,
            )
        if request.grant_type == "refresh_token":
            grants.replace(self.cr, request.grant)

    def validate_refresh_token(
        self, refresh_token: str, client: Client, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """True if the token is good; a spent one that comes again was stolen: its whole family ends (RFC 9700 4.14)."""
        grant = grants.grant_of(self.cr, self.hasher, client, refresh_token)
        if grant is None or grant.kind != "refresh":
            return False
        if grant.replaced:
            grants.revoke_family(self.cr, grant.family or "")
            return False
        if not grant.in_force:
            return False
        request.user, request.family, request.grant = grant.uid, grant.family, grant
        request.granted_resource = grant.resource
        return True

    def get_original_scopes(self, refresh_token: str, request: Request, *args: Any, **kwargs: Any) -> list[str]:
        """Return the scopes that the person has allowed and the client app still has."""
        return list(request.grant.scopes)

    def revoke_token(self, token: str, token_type_hint: str, request: Request, *args: Any, **kwargs: Any) -> None:
        """Revoke a token of the client app that asks; any other stays (RFC 7009 2.1)."""
        grant = grants.grant_of(self.cr, self.hasher, request.client, token)
        if grant is not None:
            grants.revoke(self.cr, grant)

    def introspect_token(
        self, token: str, token_type_hint: str, request: Request, *args: Any, **kwargs: Any
    ) -> dict[str, Any] | None:
        """Describe a token of the client app that asks (RFC 7662 2.2); None for any other.

        None too for one that no API would take: its scopes are gone, or nobody is there to execute its calls.
        """
        grant = grants.grant_of(self.cr, self.hasher, request.client, token)
        if grant is None or not grant.in_force:
            return None
        if grant.login is None and not grants.any_active(self.cr, self.executors(grant.client)):
            return None
        said: dict[str, Any] = {
            "scope": " ".join(grant.scopes),
            "client_id": grant.client.client_id,
            "token_type": "Bearer" if grant.kind == "access" else "refresh_token",
            "iat": int(grant.created),
            "exp": int(grant.expires),
        }
        if grant.resource is not None:
            said["aud"] = grant.resource
        if grant.login is not None:
            said.update(sub=str(grant.uid or grant.client.uid), username=grant.login)
        return said


def _client_of(cr: Any, client_id: str) -> Client | None:
    """Return the client app of an id, or the client that describes itself at it."""
    return strangers.find(cr, client_id) if metadata.is_url(client_id) else clients.by_public_id(cr, client_id)
