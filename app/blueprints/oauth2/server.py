"""oauthlib's endpoints, put together for this server: which grants there are, and what its tokens look like."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from oauthlib.common import Request
from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    AuthorizationEndpoint,
    BearerToken,
    ClientCredentialsGrant,
    IntrospectEndpoint,
    RefreshTokenGrant,
    RevocationEndpoint,
    TokenEndpoint,
)
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError

from app.blueprints.oauth2.validator import Validator
from app.clients import tokens

_S256 = re.compile(r"[A-Za-z0-9_-]{43}")


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """Codes in our own form, and PKCE with S256 alone: ``plain`` protects nothing (RFC 9700 2.1.1)."""

    _code_challenge_methods: ClassVar[dict[str, Any]] = {"S256": AuthorizationCodeGrant._code_challenge_methods["S256"]}

    def create_authorization_code(self, request: Request) -> dict[str, str]:
        """Return a new code, with the state that the client has sent."""
        code = {"code": tokens.generate(tokens.CODE)}
        if getattr(request, "state", None):
            code["state"] = request.state
        return code


class AuthorizationServer(AuthorizationEndpoint, TokenEndpoint, IntrospectEndpoint, RevocationEndpoint):  # type: ignore[misc]
    """The authorization server, for one transaction."""

    def __init__(self, validator: Validator) -> None:
        self.validator = validator

        def _known_resource(request: Request) -> dict[str, Any]:
            validator.wanted_resource(request)
            return {}

        code_grant = _CodeGrant(validator, pre_auth=[_only_in_query, _challenge_of_s256, _known_resource])
        bearer = BearerToken(
            validator,
            token_generator=lambda request: tokens.generate(tokens.ACCESS),
            refresh_token_generator=lambda request: tokens.generate(tokens.REFRESH),
            expires_in=_lifetime,
        )
        AuthorizationEndpoint.__init__(
            self, default_response_type="code", response_types={"code": code_grant}, default_token_type=bearer
        )
        TokenEndpoint.__init__(
            self,
            default_grant_type="client_credentials",
            grant_types={
                "client_credentials": ClientCredentialsGrant(validator),
                "authorization_code": code_grant,
                "refresh_token": RefreshTokenGrant(validator),
            },
            default_token_type=bearer,
        )
        RevocationEndpoint.__init__(self, validator)
        IntrospectEndpoint.__init__(self, validator)


def _only_in_query(request: Request) -> dict[str, Any]:
    """Refuse a ``response_mode`` that is not served; runs once the redirect address is known to be registered.

    oauthlib would obey ``fragment``, where a page's scripts read the code. The error itself goes back in the query
    (RFC 6749 4.1.2.1), so the wish is dropped first. An empty parameter counts as left out (3.1).
    """
    mode, twice = request.response_mode or "query", "response_mode" in request.duplicate_params
    request.response_mode = None
    if mode != "query" or twice:
        raise InvalidRequestError("response_mode must be query: answers come in no other way.", request=request)
    return {}


def _challenge_of_s256(request: Request) -> dict[str, Any]:
    """Refuse a challenge that no verifier can ever answer: it is a SHA-256 in base64url (RFC 7636 4.2)."""
    if request.code_challenge and not _S256.fullmatch(request.code_challenge):
        raise InvalidRequestError("code_challenge must be the 43 characters that S256 gives.", request=request)
    return {}


def _lifetime(request: Any) -> int:
    lifetime: int = request.client.lifetime
    return lifetime
