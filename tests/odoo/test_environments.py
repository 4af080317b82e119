"""Environments that a transaction keeps are those that Odoo would make."""

from __future__ import annotations

import weakref
from contextlib import nullcontext
from typing import Any

import pytest

from app.web.routing import Gatehouse
from odoo_bridge import fast
from odoo_bridge.fast.environments import _KEPT
from odoo_bridge.transaction import Environment, act_as

pytestmark = pytest.mark.usefixtures("all_pieces")

PARTNER, USER = "res.partner", "res.users"


def test_an_environment_that_nothing_refers_to_is_kept(app: Gatehouse) -> None:
    def work(root: Environment) -> list[bool]:
        kept = []
        for way in (nullcontext(), fast.without("environments")):
            with way:
                other = weakref.ref(root(context={"a": [len(kept)]}))
                kept.append(other() is not None and root(context={"a": [len(kept)]}) is other())
        return kept

    assert app.services.transactions.run(work, keep=False) == [True, False]


@pytest.mark.parametrize(
    ("uid", "context", "su"),
    [(3, {}, False), (2, {}, True), (2, {"a": 1}, False), (2, {"a": [1, 2]}, False), (1, {}, False), (1, {}, True)],
)
def test_what_differs_is_another_one(app: Gatehouse, uid: int, context: dict[str, Any], su: bool) -> None:
    def work(root: Environment) -> None:
        env = act_as(root, 2, {})
        other = env(user=uid, context=context, su=su)
        assert other is not env
        assert (other.uid, other.context, other.su) == (uid, context, su or uid == 1)
        assert other is env(user=uid, context=context, su=su)

    app.services.transactions.run(work, keep=False)


def test_a_transaction_keeps_the_latest_alone(app: Gatehouse) -> None:
    def work(root: Environment) -> int:
        for number in range(100):
            root(context={"number": number})
        return len(root.transaction.envs.latest)

    assert app.services.transactions.run(work, keep=False) == _KEPT


def test_the_next_transaction_has_its_own(app: Gatehouse) -> None:
    run = app.services.transactions.run
    first = run(lambda root: root(context={"a": 1}), keep=False)
    assert run(lambda root: root(context={"a": 1}) is not first, keep=False)


def test_what_a_user_becomes_holds_in_environments_that_are_kept(app: Gatehouse) -> None:
    def work(root: Environment) -> tuple[list[int], list[int], str]:
        env = act_as(root, 2, {})
        before = env(su=True).companies.ids
        company = root["res.company"].create({"name": "Another"})
        root[USER].browse(2).company_ids += company
        root[USER].browse(2).company_id = company
        root[USER].browse(2).lang = "en_US"
        return before, env(su=True).company.ids, str(env(su=True).lang)

    with_it = app.services.transactions.run(work, keep=False)
    with fast.without("environments"):
        without = app.services.transactions.run(work, keep=False)
    assert [len(part) for part in with_it[:2]] == [len(part) for part in without[:2]] == [1, 1]
    assert (with_it[0] == with_it[1]) == (without[0] == without[1])
    assert with_it[2] == without[2]


def test_values_are_forgotten_in_environments_that_are_kept(app: Gatehouse) -> None:
    def work(root: Environment) -> tuple[str, str]:
        env = act_as(root, 2, {})
        partner = env[PARTNER].create({"name": "Before"})
        env.flush_all()
        before = partner.sudo().with_context(lang="en_US").name
        env.cr.execute("UPDATE res_partner SET name = 'After' WHERE id = %s", (partner.id,))
        env.invalidate_all()
        return before, partner.sudo().with_context(lang="en_US").name

    assert app.services.transactions.run(work, keep=False) == ("Before", "After")
