"""Tables straight from rows are those that come through Odoo's cache, for every model, user and language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.web.routing import Gatehouse
from odoo_bridge import fast, records
from odoo_bridge.errors import BridgeError
from odoo_bridge.fast import rows
from odoo_bridge.fast.shapes import WantedRows
from odoo_bridge.lengths import Counting
from odoo_bridge.transaction import Environment, act_as
from odoo_bridge.types import Length, Selection

pytestmark = pytest.mark.usefixtures("all_pieces")

Sql = Callable[..., list[tuple[Any, ...]]]
USERS = ["base.user_admin", "base.user_demo", "base.public_user"]
PARENT = Selection(("name", "country_id"), {"parent_id": Selection(("name", "is_company"), {})})
NESTED = Selection(("name",), {"parent_id": Selection(("phone",), {"country_id": Selection(("code", "name"), {})})})


def searchable_models(env: Environment) -> list[Any]:
    models = [env[name] for name in sorted(env.registry)]
    return [model for model in models if not model._abstract and model._auto and model.has_access("read")]


def straight_fields(model: Any) -> list[str]:
    """Return the fields that rows can have, asked for one by one."""
    names = [name for name, field in model._fields.items() if name != "id" and not field.groups]
    return [name for name in names if WantedRows((name,)).shape(model) is not None]


def both(env: Environment, work: Callable[[], Any]) -> tuple[Any, Any]:
    """Return the outcome of work with rows and without, or what is said where it is refused."""

    def outcome() -> Any:
        env.invalidate_all()
        try:
            return work()
        except BridgeError as error:
            return error.message

    straight = outcome()
    with fast.without("rows"):
        return straight, outcome()


@pytest.mark.parametrize("context", [{"lang": "en_US"}, {"lang": "fr_BE", "bin_size": True}], ids=["english", "french"])
@pytest.mark.parametrize("login", USERS)
def test_a_page_is_the_one_that_odoos_cache_gives(app: Gatehouse, login: str, context: dict[str, Any]) -> None:
    def work(root: Environment) -> tuple[int, int]:
        root["res.lang"]._activate_lang("fr_BE")
        env = act_as(root, root.ref(login).id, context)
        straight = compared = 0
        for model in searchable_models(env):
            selection = Selection(tuple(straight_fields(model)), {})

            def search(model: Any = model, selection: Selection = selection) -> Any:
                page = records.search(env, model._name, [], selection, order=None, limit=9, offset=1, count="exact")
                return page, records.find(env, model._name, page.table.ids, [], selection)

            with_rows, without = both(env, search)
            assert with_rows == without, model._name
            page = rows.search(model, [], selection, order=None, limit=9, counting=Counting("exact", 1))
            straight += page is not None
            compared += 1
        return straight, compared

    straight, compared = app.services.transactions.run(work, keep=False)
    assert straight > 5
    assert straight / compared > 0.3


@pytest.mark.parametrize("order", [None, "name desc, id", "parent_id, id desc", "country_id, id"])
@pytest.mark.parametrize("selection", [PARENT, NESTED], ids=["names", "nested"])
def test_related_records_and_names_come_by_a_join(app: Gatehouse, selection: Selection, order: str | None) -> None:
    def work(root: Environment) -> None:
        env = act_as(root, root.ref("base.user_admin").id, {"lang": "en_US"})
        model = env["res.partner"]
        with_rows, without = both(
            env,
            lambda: records.search(env, "res.partner", [], selection, order=order, limit=1000, offset=0, count="none"),
        )
        assert with_rows == without
        assert with_rows.table.related["parent_id"].ids
        counting = Counting("exact", 0)
        assert rows.search(model, [], selection, order=order, limit=60, counting=counting) is not None

    app.services.transactions.run(work, keep=False)


def test_a_related_record_that_a_rule_hides_shows_nothing(app: Gatehouse) -> None:
    def work(root: Environment) -> None:
        demo = root.ref("base.user_demo")
        parent = root["res.partner"].create({"name": "Hidden", "is_company": True, "ref": "hidden"})
        child = root["res.partner"].create({"name": "Child", "parent_id": parent.id, "ref": "shown"})
        root["ir.rule"].create(
            {
                "name": "No hidden ones",
                "model_id": root["ir.model"]._get("res.partner").id,
                "domain_force": "[('ref', '!=', 'hidden')]",
                "groups": [(4, root.ref("base.group_user").id)],
            }
        )
        root.flush_all()
        env = act_as(root, demo.id, {})
        domain = [("id", "=", child.id)]
        model = env["res.partner"]
        page = rows.search(model, domain, PARENT, order=None, limit=5, counting=Counting("exact", 0))
        assert page is not None
        assert page.table.values["parent_id"] == [parent.id]  # part of the row itself, as in Odoo
        assert page.table.related["parent_id"].ids == ()
        with_rows, without = both(env, lambda: records.find(env, "res.partner", [child.id], [], PARENT))
        assert with_rows == without

    app.services.transactions.run(work, keep=False)


def test_a_record_that_is_missing_behind_a_field_is_left_to_odoo(app: Gatehouse) -> None:
    def work(root: Environment) -> None:
        partner = root["res.partner"].create({"name": "Of nowhere"})
        root.flush_all()
        root.cr.execute("ALTER TABLE res_partner DROP CONSTRAINT res_partner_country_id_fkey")
        root.cr.execute("UPDATE res_partner SET country_id = 999999 WHERE id = %s", (partner.id,))
        root.invalidate_all()
        env = act_as(root, root.ref("base.user_admin").id, {})
        named = Selection(("name", "country_id"), {})
        assert rows.find(env["res.partner"], [partner.id], [], named) is None
        with_rows, without = both(env, lambda: records.find(env, "res.partner", [partner.id], [], named))
        assert with_rows == without

    app.services.transactions.run(work, keep=False)


def test_what_is_not_written_yet_is_seen(app: Gatehouse) -> None:
    def work(root: Environment) -> str:
        env = act_as(root, root.ref("base.user_admin").id, {})
        partner = env["res.partner"].create({"name": "Before"})
        env.flush_all()
        partner.name = "After"
        table = records.find(env, "res.partner", [partner.id], [], Selection(("name",), {}))
        return str(table.values["name"][0])

    assert app.services.transactions.run(work, keep=False) == "After"


def test_records_come_in_the_order_of_their_ids(app: Gatehouse) -> None:
    def work(root: Environment) -> None:
        env = act_as(root, root.ref("base.user_admin").id, {})
        ids = [3, 1, 8, 7]
        table = records.find(env, "res.partner", ids, [], Selection(("name",), {}))
        assert list(table.ids) == [record_id for record_id in ids if record_id in table.ids]
        assert len(table.stamps) == len(table.ids) > 1

    app.services.transactions.run(work)


@pytest.mark.parametrize("selection", [PARENT, NESTED], ids=["names", "nested"])
def test_a_page_keeps_its_order_whatever_way_postgresql_joins(app: Gatehouse, selection: Selection) -> None:
    def work(root: Environment) -> None:
        env = act_as(root, root.ref("base.user_admin").id, {"lang": "en_US"})
        found = [env["res.partner"].search([], order="complete_name, id DESC").ids]
        for way in ("hashjoin", "nestloop", "memoize"):  # what is left is to merge, in the order of what is joined
            env.cr.execute(f"SET LOCAL enable_{way} = off")
            counting = Counting("exact", 0)
            page = rows.search(env["res.partner"], [], selection, order=None, limit=1000, counting=counting)
            assert page is not None
            assert page.length == Length(len(page.table.ids))
            found.append(list(page.table.ids))
        assert found[1:] == found[:1] * 3

    app.services.transactions.run(work, keep=False)
