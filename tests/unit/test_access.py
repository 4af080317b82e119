"""What a principal may do with an API, by its credentials alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.definitions.scopes import Scope
from app.errors import Forbidden, Unavailable
from app.policy import access
from app.principal import Principal
from tests.unit.models import definition

API = definition(clients=["Shop"])


def _client(**changes: Any) -> Principal:
    return replace(Principal("client", 2, "client:1", ("search", "read"), "Shop"), **changes)


@pytest.mark.parametrize("kind", ["session", "key", "public"])
def test_users_may_do_what_odoo_lets_them(kind: Any) -> None:
    for scope in Scope:
        access.authorize(Principal(kind, 2, "user:2"), API, (scope,))


def test_a_client_app_may_do_what_its_token_covers() -> None:
    access.authorize(_client(), API, (Scope.READ,))
    with pytest.raises(Forbidden) as caught:
        access.authorize(_client(), API, (Scope.DELETE,))
    assert caught.value.name == "insufficient_scope"
    assert caught.value.headers["WWW-Authenticate"].endswith('error="insufficient_scope", scope="delete"')


def test_all_scopes_of_an_action_are_needed_and_named() -> None:
    scopes = (Scope.CREATE, Scope.UPDATE)
    with pytest.raises(Forbidden) as caught:
        access.authorize(_client(scopes=("create",)), API, scopes)
    assert caught.value.message == "The token lacks the scope update."
    assert caught.value.headers["WWW-Authenticate"].endswith('scope="create update"')
    access.authorize(_client(scopes=("create", "update")), API, scopes)


def test_a_client_app_that_is_not_connected_may_do_nothing() -> None:
    with pytest.raises(Forbidden) as caught:
        access.authorize(_client(client="Other"), API, (Scope.READ,))
    assert caught.value.name == "client_not_connected"


def test_a_token_without_scopes_covers_nothing() -> None:
    with pytest.raises(Forbidden):
        access.authorize(_client(scopes=()), API, (Scope.SEARCH,))


def test_no_token_opens_what_has_no_scope() -> None:
    with pytest.raises(Forbidden):
        access.authorize(_client(scopes=tuple(scope.value for scope in Scope)), API, ())


def test_an_api_that_no_longer_fits_odoo_serves_nobody() -> None:
    access.check_served(API)
    with pytest.raises(Unavailable) as caught:
        access.check_served(replace(API, problems=("a field vanished",)))
    assert (caught.value.name, caught.value.headers["Retry-After"]) == ("definition_broken", "60")
    assert "vanished" not in caught.value.message
