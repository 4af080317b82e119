"""Models of Odoo's applications that once were read or written otherwise than in Odoo."""

from __future__ import annotations

from typing import Any

import pytest

from tests.applications.conftest import READ, AsUser
from tests.http.conftest import Client


def ids(client: Client, model: str, **query: Any) -> list[Any]:
    found = client.result("GET", f"{READ}/{model}", query_string={"fields": "id", "order": "id", **query})["records"]
    return [record["id"] for record in found]


@pytest.mark.parametrize("login", ["employee", "salesperson"])
def test_employees_are_read_and_found_without_rights_on_them(login: str, clients: dict[str, Client]) -> None:
    some = ids(clients[login], "hr.employee", limit=3)
    assert len(some) == 3
    one = clients[login].result("GET", f"{READ}/hr.employee/{some[0]}")
    several = clients[login].result("GET", f"{READ}/hr.employee/bulk?ids={some[2]},{some[0]}")
    found = clients[login].result("GET", f"{READ}/hr.employee?order=id&limit=3")["records"]
    assert [record["id"] for record in several] == [some[2], some[0]]
    assert [record["id"] for record in found] == some
    assert one["name"]
    assert one["work_email"] == several[1]["work_email"]
    for private in ("private_email", "birthday", "ssnid", "private_phone"):
        assert not any(private in record for record in (one, *several, *found))


def test_a_journal_item_is_read_as_odoo_reads_it_with_no_cumulated_balance(clients: dict[str, Client]) -> None:
    admin = clients["admin"]
    some = ids(admin, "account.move.line", limit=4)
    for path in (f"{some[0]}?fields=cumulated_balance", f"bulk?ids={some[2]},{some[0]}&fields=cumulated_balance"):
        result = admin.result("GET", f"{READ}/account.move.line/{path}")
        assert all(row["cumulated_balance"] == 0 for row in (result if isinstance(result, list) else [result]))


def test_a_lead_is_handed_to_a_colleague(clients: dict[str, Client], as_user: AsUser) -> None:
    salesperson = clients["salesperson"]
    users = as_user("admin", lambda env: env["res.users"].search([("login", "in", ["admin", "salesperson"])]).ids)
    own = as_user("salesperson", lambda env: env.uid)
    (admin_id,) = (uid for uid in users if uid != own)
    lead_id = salesperson.result("POST", f"{READ}/crm.lead", json={"name": "Mine", "user_id": own})["id"]
    answer = salesperson("PATCH", f"{READ}/crm.lead/{lead_id}", json={"user_id": admin_id})
    assert answer.json["result"] == {"id": lead_id, "visible": False}
    assert "ETag" not in answer.headers
    assert salesperson("GET", f"{READ}/crm.lead/{lead_id}").status_code == 404
    assert clients["admin"].result("GET", f"{READ}/crm.lead/{lead_id}")["user_id"][0] == admin_id
