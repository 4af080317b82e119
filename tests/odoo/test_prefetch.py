"""What Odoo asks about the user who writes is read in one query, and is what Odoo would read."""

from __future__ import annotations

from typing import Any

import pytest

from app.web.routing import Gatehouse
from odoo_bridge import records
from odoo_bridge.fast import prefetch
from odoo_bridge.transaction import Environment, act_as
from tests.http.queries import counted_queries

pytestmark = pytest.mark.usefixtures("all_pieces")

USER, PARTNER, COMPANY = "res.users", "res.partner", "res.company"


def cached(env: Environment) -> dict[Any, Any]:
    """Return what the transaction remembers of the user, their partner and their company, by field."""
    found = {}
    for record in (env.user, env.user.partner_id, env.company.sudo()):
        for field in record._fields.values():
            known = field._get_cache(record.env)
            if record.id in known:
                found[field] = known[record.id]
    return found


@pytest.mark.parametrize("login", ["admin", "demo"])
def test_the_values_are_those_that_odoo_reads(app: Gatehouse, login: str) -> None:
    def work(root: Environment) -> tuple[dict[Any, Any], dict[Any, Any]]:
        env = act_as(root, root[USER].search([("login", "=", login)]).id, {})
        for record in (env.user, env.user.partner_id, env.company.sudo()):
            record.fetch()
        read = cached(env)
        env.invalidate_all()
        prefetch.know(env[PARTNER])
        return read, cached(env)

    read, known = app.services.transactions.run(work, keep=False)
    assert len(known) > 50
    assert known == {field: read[field] for field in known}


def test_the_time_is_the_transactions_own(app: Gatehouse) -> None:
    def work(root: Environment) -> None:
        env = act_as(root, 2, {})
        prefetch.know(env[PARTNER])
        known = env.cr.now()
        env.cr._now = None
        assert env.cr.now() == known

    app.services.transactions.run(work, keep=False)


def test_the_company_is_the_one_that_is_chosen(app: Gatehouse) -> None:
    def work(root: Environment) -> tuple[int, list[int]]:
        company = root[COMPANY].create({"name": "Chosen"})
        root[USER].browse(2).company_ids += company
        root.flush_all()
        root.invalidate_all()
        env = act_as(root, 2, {"allowed_company_ids": [company.id]})
        prefetch.know(env[PARTNER])
        return company.id, list(root.registry[COMPANY]._fields["name"]._get_cache(env))

    company_id, known = app.services.transactions.run(work, keep=False)
    assert known == [company_id]


def test_what_the_work_has_changed_is_not_undone(app: Gatehouse) -> None:
    def work(root: Environment) -> str:
        env = act_as(root, 2, {})
        env.company.sudo().font = "Roboto"
        prefetch.know(env[PARTNER])
        env.flush_all()
        env.invalidate_all()
        return str(env.company.sudo().font)

    assert app.services.transactions.run(work, keep=False) == "Roboto"


def test_a_second_create_asks_for_none_of_it_again(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(root: Environment) -> list[str]:
        env = act_as(root, 2, {})
        records.create(env, PARTNER, [{"name": "First"}])
        with counted_queries(monkeypatch) as queries:
            records.create(env, PARTNER, [{"name": "Second"}])
        return [query for query in queries if "now()" in query or 'FROM "res_' in query or "FROM res_" in query]

    assert app.services.transactions.run(work, keep=False) == []


def test_odoo_reads_no_row_of_the_user_by_itself(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(root: Environment) -> list[int]:
        return records.create(act_as(root, 2, {}), PARTNER, [{"name": "Somebody", "email": "somebody@example.com"}])

    run = app.services.transactions.run
    created = run(work)  # fills the caches that outlive a call, as nothing does that is rolled back
    with counted_queries(monkeypatch) as queries:
        run(work, keep=False)
    run(lambda root: records.unlink(act_as(root, 2, {}), PARTNER, created))
    tables = ('FROM "res_users" WHERE', 'FROM "res_partner" WHERE', 'FROM "res_company" WHERE')
    assert [query for query in queries if any(table in query for table in tables)] == []


def test_a_record_whose_changes_are_tracked_is_read_once(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(root: Environment) -> int:
        env = act_as(root, 2, {})
        company = root.ref("base.main_company").partner_id
        with counted_queries(monkeypatch) as queries:
            assert records.visible_to_write(env, PARTNER, [company.id], []) == {company.id}
            assert env[PARTNER].browse(company.id).name
        return len([query for query in queries if 'FROM "res_partner"' in query])

    assert app.services.transactions.run(work, keep=False) == 1
