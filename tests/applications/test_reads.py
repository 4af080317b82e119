"""What is read of any model, one by one and together, is what Odoo's own ``read`` gives the same user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from odoo_bridge.transaction import Environment
from tests.applications import odoo_rows
from tests.applications.conftest import READ, USERS, AsUser, Extent, Sight
from tests.http.conftest import Client

Exposed = dict[str, tuple[str, ...]]
Sights = Callable[[str], dict[str, Sight]]


@pytest.mark.parametrize("login", USERS)
def test_a_record_of_any_model_is_read_as_odoo_reads_it(
    login: str, clients: dict[str, Client], as_user: AsUser, sights: Sights, exposed: Exposed, extent: Extent
) -> None:
    wrong = {}
    for model, sight in sights(login).items():
        for record_id in sight.visible[: extent.one_by_one]:
            answer = clients[login]("GET", f"{READ}/{model}/{record_id}")
            wrong[model, record_id] = compare(as_user, login, model, [record_id], exposed[model], answer)
    assert {key: what for key, what in wrong.items() if what} == {}


@pytest.mark.parametrize("login", USERS)
def test_a_record_that_odoo_hides_is_not_read(
    login: str, clients: dict[str, Client], sights: Sights, extent: Extent
) -> None:
    statuses = {}
    for model, sight in sights(login).items():
        for record_id in sight.hidden[: extent.one_by_one]:
            statuses[model, record_id] = clients[login]("GET", f"{READ}/{model}/{record_id}").status_code
    assert statuses
    assert {key: status for key, status in statuses.items() if status not in (403, 404)} == {}


@pytest.mark.parametrize("login", USERS)
def test_several_records_of_any_model_are_read_as_odoo_reads_them_in_that_order(
    login: str, clients: dict[str, Client], as_user: AsUser, sights: Sights, exposed: Exposed
) -> None:
    wrong = {}
    for model, sight in sights(login).items():
        if len(sight.visible) > 1:
            ids = sight.visible[1::2] + sight.visible[::2][::-1]
            answer = clients[login]("GET", f"{READ}/{model}/bulk?ids={','.join(map(str, ids))}")
            wrong[model] = compare(as_user, login, model, ids, exposed[model], answer)
    assert {key: what for key, what in wrong.items() if what} == {}


def compare(
    as_user: AsUser, login: str, model: str, ids: list[int], names: tuple[str, ...], answer: TestResponse
) -> Any:
    """Return what is wrong with the answer to a read of records that Odoo gives the user; None where nothing is.

    The fields shown are such as Odoo's ``read`` gives in one call, with its values; those left out are such as it
    refuses.
    """
    if answer.status_code != 200 or "result" not in answer.json:
        return answer.status_code, answer.text[:200]
    found = answer.json["result"] if isinstance(answer.json["result"], list) else [answer.json["result"]]

    def ask(env: Environment, shown: list[str], left_out: list[str]) -> tuple[list[Any], list[str]]:
        records = env[model].browse(ids)
        return odoo_rows.read(records, shown), odoo_rows.given(records, left_out)

    return odoo_rows.compare(lambda *fields: as_user(login, lambda env: ask(env, *fields)), found, names)
