"""What no definition can expose, or let a client change."""

from __future__ import annotations

import pytest

from app.definitions.secrets import is_read_only_model, is_rights_field


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("res.users", "group_ids"),
        ("res.users", "in_group_7"),
        ("res.users", "oauth_uid"),  # who has this account of the provider logs in as the user
        ("res.company", "user_ids"),  # the other side of res.users.company_ids
        ("res.partner", "user_ids"),  # the other side of res.users.partner_id
    ],
)
def test_what_gives_rights_is_known_from_either_side(model: str, name: str) -> None:
    assert is_rights_field(model, name)


@pytest.mark.parametrize(
    ("model", "name"), [("res.users", "signature"), ("res.company", "name"), ("crm.team", "user_ids")]
)
def test_other_fields_give_none(model: str, name: str) -> None:
    assert not is_rights_field(model, name)


@pytest.mark.parametrize("model", ["ir.rule", "ir.mail_server", "auth.oauth.provider", "res.company.ldap"])
def test_who_may_log_in_is_for_no_client_to_change(model: str) -> None:
    assert is_read_only_model(model)
