"""The company tree is remembered, and is never an old one."""

from __future__ import annotations

import pytest

from app.web.routing import Gatehouse
from odoo_bridge.transaction import Environment, act_as
from tests.http.queries import counted_queries


def partners(root: Environment) -> None:
    act_as(root, root.ref("base.user_demo").id, {})["res.partner"].search([], limit=1)


def test_a_search_under_a_rule_on_companies_is_one_query(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    app.services.transactions.run(partners)
    with counted_queries(monkeypatch) as queries:
        app.services.transactions.run(partners)
    assert [query for query in queries if "res_company" in query] == []
    assert [query for query in queries if "res_partner" in query]


def test_a_new_branch_belongs_to_the_tree_at_once(app: Gatehouse) -> None:
    def work(root: Environment) -> tuple[str, str]:
        act_as(root, 2, {})
        branch = root["res.company"].create({"name": "Branch", "parent_id": 1})
        root.flush_all()
        root.invalidate_all()
        env = act_as(root, 2, {})
        return str(env["res.company"].sudo().browse(branch.id).parent_path), f"1/{branch.id}/"

    path, expected = app.services.transactions.run(work, keep=False)
    assert path == expected
