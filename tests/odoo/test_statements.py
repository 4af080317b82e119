"""A search with remembered SQL finds what Odoo's own finds, and forgets the SQL when Odoo forgets its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from odoo.exceptions import AccessError  # noqa: TID251  what Odoo refuses has to be refused
from odoo.fields import Domain  # noqa: TID251

from app.web.routing import Gatehouse
from odoo_bridge.errors import BridgeError
from odoo_bridge.fast import cached, columns, deep_pages, statements
from odoo_bridge.fast.cacheable import is_plain_domain, is_plain_model, is_plain_order
from odoo_bridge.fast.cached import WantedNames
from odoo_bridge.transaction import Environment, Limits, Transactions, act_as
from tests.odoo.tables import rows

pytestmark = pytest.mark.usefixtures("all_pieces")

Sql = Callable[..., list[tuple[Any, ...]]]
USERS = ["base.user_admin", "base.user_demo", "base.demo_user0", "base.public_user"]
CONTEXTS: list[dict[str, Any]] = [
    {"lang": "en_US", "tz": "Europe/Brussels"},
    {"lang": "fr_BE", "bin_size": True},
    {"allowed_company_ids": [1]},
    {"active_test": False},
]


def searchable_models(env: Environment) -> list[Any]:
    models = [env[name] for name in sorted(env.registry)]
    return [model for model in models if not model._abstract and model._auto and model.has_access("read")]


def shown(model: Any) -> list[str]:
    """Return the fields that the user can read: with columns and without, computed and not."""
    fields = [field for field in model._fields.values() if field.name != "id" and not field.groups]
    others = [field for field in fields if not field.comodel_name or model.env[field.comodel_name].has_access("read")]
    return [field.name for field in others if field.store or field.type == "char"]


def outcome(env: Environment, find: Callable[[], Any], names: list[str]) -> Any:
    """Return the records that a search finds, with what it fetches; what Odoo says where it refuses."""
    env.invalidate_all()
    try:
        found = find()
        return rows(columns.read(found, [name for name in names if found._fields[name].column_type]))
    except AccessError as error:
        return str(error)


def is_remembered(model: Any, names: list[str], order: str | None) -> bool:
    try:
        return (
            statements.statement(model, [], WantedNames(tuple(names)), order or model._order, by_ids=False) is not None
        )
    except AccessError:
        return False


def orders(model: Any) -> list[str | None]:
    """Return the model's own order, and some by its columns."""
    columns = [field for field in model._fields.values() if field.store and field.column_type and not field.groups]
    sortable = [field.name for field in columns if field.type not in ("json", "properties", "properties_definition")]
    return [None, *(f"{name} desc, id" for name in sortable[:: max(1, len(sortable) // 3)])]


@pytest.mark.parametrize("context", CONTEXTS, ids=["brussels", "french", "company", "archived"])
@pytest.mark.parametrize("login", USERS)
def test_a_search_finds_what_odoos_own_finds(app: Gatehouse, login: str, context: dict[str, Any]) -> None:
    def work(root: Environment) -> tuple[int, int]:
        root["res.lang"]._activate_lang("fr_BE")
        env = act_as(root, root.ref(login).id, context)
        remembered = compared = 0
        for model in searchable_models(env):
            for order in orders(model):
                names = shown(model)[: None if order is None else 2]
                page = {"order": order, "limit": 4, "offset": 1}
                expected = outcome(env, partial(model.search_fetch, [], names, **page), names)
                for how in ("made", "remembered"):
                    found = outcome(env, partial(cached.search_fetch, model, [], names, **page), names)
                    assert found == expected, (model._name, order, how)
                remembered += is_remembered(model, names, order)
                compared += 1
        return remembered, compared

    remembered, compared = app.services.transactions.run(work, keep=False)
    assert compared > 20
    assert remembered / compared > 0.4  # the others have rules or orders that are not plain, or decide for themselves


@pytest.mark.parametrize("login", USERS)
def test_records_by_their_ids_are_those_that_odoo_finds(app: Gatehouse, login: str) -> None:
    def work(root: Environment) -> None:
        env = act_as(root, root.ref(login).id, {"lang": "en_US"})
        for model in searchable_models(env):
            names = shown(model)[:5]
            every = model.sudo().with_context(active_test=False).search([], limit=50)._ids
            by_ids = [("id", "in", list(every))]
            expected = outcome(env, partial(model.with_context(active_test=False).search_fetch, by_ids, names), names)
            found = outcome(env, partial(cached.fetch_visible, model, every, [], names), names)
            assert in_order(found) == in_order(expected), model._name

    app.services.transactions.run(work, keep=False)


def in_order(found: Any) -> Any:
    return found if isinstance(found, str) else sorted(found, key=lambda row: row["id"])


def as_demo(root: Environment) -> Any:
    """Return the model ``test.record`` as a user with rules."""
    return act_as(root, root.ref("base.user_demo").id, {"lang": "en_US"})["test.record"]


def names_found(root: Environment) -> list[str]:
    return list(cached.search_fetch(as_demo(root), [("name", "like", "Statement")], ["name"]).mapped("name"))


@pytest.fixture
def transactions(app: Gatehouse) -> Transactions:
    """Transactions that look at once whether another process has changed something."""
    return Transactions(app.services.transactions.database, Limits(signaling_interval=0))


@pytest.fixture
def record(transactions: Transactions) -> Iterator[int]:
    """The id of a committed record."""
    record_id = transactions.run(lambda root: root["test.record"].create({"name": "Statement"}).id)
    yield record_id
    transactions.run(lambda root: root["test.record"].browse(record_id).unlink())


def test_the_second_search_makes_no_sql_of_the_rules(
    transactions: Transactions, record: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions.run(names_found)
    monkeypatch.setattr(statements, "_frame", lambda *_: pytest.fail("made again"))
    assert transactions.run(names_found) == ["Statement"]


@pytest.mark.parametrize(
    ("domain", "times"),
    [
        pytest.param([("name", "=", "Statement"), ("owner_id", "=", False)], 1, id="plain"),
        pytest.param([("name", "=", "Statement"), ("create_date", ">", "today -1d")], 3, id="relative to today"),
        pytest.param(["|", ("name", "=", "Statement"), ("company_id.name", "=", "No")], 3, id="another table"),
        pytest.param(
            [("name", "in", ["Statement", *(f"No statement {number}" for number in range(200))])], 3, id="long"
        ),
    ],
)
def test_only_a_domain_that_keeps_its_meaning_is_translated_once(
    transactions: Transactions, record: int, monkeypatch: pytest.MonkeyPatch, domain: list[Any], times: int
) -> None:
    translated = []
    translate = statements._search
    monkeypatch.setattr(statements, "_search", lambda *given: translated.append(given) or translate(*given))
    for _ in range(3):
        found = transactions.run(lambda root: cached.search_fetch(as_demo(root), domain, ["name"])._ids)
        assert found == (record,)
    assert len(translated) == times


def test_a_rule_changed_here_holds_for_the_next_search(transactions: Transactions, record: int) -> None:
    def with_rule(root: Environment) -> list[str]:
        assert names_found(root) == ["Statement"]
        root.ref("gatehouse_test.record_owner").domain_force = "[('owner_id', '=', user.id)]"
        return names_found(root)

    assert transactions.run(with_rule, keep=False) == []
    assert transactions.run(names_found) == ["Statement"]  # the change was rolled back


def test_a_rule_changed_by_another_process_holds_after_its_signal(
    transactions: Transactions, record: int, sql: Sql
) -> None:
    rule = transactions.run(lambda root: root.ref("gatehouse_test.record_owner").id)
    ((before,),) = sql("SELECT domain_force FROM ir_rule WHERE id = %s", rule)
    assert transactions.run(names_found) == ["Statement"]
    try:
        sql("UPDATE ir_rule SET domain_force = %s WHERE id = %s", "[('owner_id', '=', user.id)]", rule)
        sql("INSERT INTO orm_signaling_default DEFAULT VALUES")
        assert transactions.run(names_found) == []
    finally:
        sql("UPDATE ir_rule SET domain_force = %s WHERE id = %s", before, rule)
        sql("INSERT INTO orm_signaling_default DEFAULT VALUES")


def test_a_user_who_loses_the_right_to_read_is_refused_at_the_next_search(transactions: Transactions) -> None:
    def work(root: Environment) -> None:
        names_found(root)
        root["ir.model.access"].search([("model_id.model", "=", "test.record")]).perm_read = False
        root.flush_all()
        names_found(root)

    with pytest.raises(BridgeError, match="no right"):
        transactions.run(work, keep=False)


def test_a_user_who_moves_to_another_company_sees_its_records(transactions: Transactions) -> None:
    def work(root: Environment) -> tuple[list[str], list[str]]:
        company = root["res.company"].create({"name": "Another"})
        root["test.record"].create({"name": "Statement of another", "company_id": company.id})
        before = names_found(root)
        root.ref("base.user_demo").write({"company_ids": [(4, company.id)], "company_id": company.id})
        return before, names_found(root)

    assert transactions.run(work, keep=False) == ([], ["Statement of another"])


def test_a_new_branch_sees_what_its_parents_have(transactions: Transactions) -> None:
    """Partners have a rule by ``parent_of``, which is remembered as SQL with the ids of companies."""

    def found(root: Environment) -> list[str]:
        partners = act_as(root, root.ref("base.user_demo").id, {})["res.partner"]
        assert is_remembered(partners, ["name"], None)
        domain = [("name", "=", "Of the parent")]
        names: list[str] = cached.search_fetch(partners, domain, ["name"]).mapped("name")
        assert names == partners.search(domain).mapped("name")
        return names

    def work(root: Environment) -> tuple[list[str], list[str]]:
        parent = root["res.company"].create({"name": "Parent"})
        root["res.partner"].create({"name": "Of the parent", "company_id": parent.id})
        before = found(root)
        branch = root["res.company"].create({"name": "Branch", "parent_id": parent.id})
        root.ref("base.user_demo").write({"company_ids": [(6, 0, branch.ids)], "company_id": branch.id})
        return before, found(root)

    assert transactions.run(work, keep=False) == ([], ["Of the parent"])


def test_what_is_not_written_yet_is_found(transactions: Transactions, record: int) -> None:
    def work(root: Environment) -> tuple[list[str], list[str]]:
        found = cached.search_fetch(as_demo(root), [("name", "like", "Statement")], ["name"])
        found.name = "Statement, changed"
        changed = names_found(root)
        found.active = False
        return changed, names_found(root)

    assert transactions.run(work, keep=False) == (["Statement, changed"], [])


def test_a_field_of_a_group_is_refused_to_others(transactions: Transactions) -> None:
    with pytest.raises(BridgeError, match="no right"):
        transactions.run(lambda root: cached.search_fetch(as_demo(root), [], ["name", "for_managers"]))


def test_archived_records_are_found_where_the_domain_asks_for_them(transactions: Transactions, record: int) -> None:
    def work(root: Environment) -> list[str]:
        root["test.record"].browse(record).active = False
        domain = [("name", "like", "Statement"), ("active", "=", False)]
        return list(cached.search_fetch(as_demo(root), domain, ["name"]).mapped("name"))

    assert transactions.run(work, keep=False) == ["Statement"]


@pytest.mark.parametrize(
    "domain",
    [
        pytest.param([("day", "<", "today")], id="another day"),
        pytest.param([("per_company", "=", "a")], id="another company"),
        pytest.param([("for_managers", "=", "a")], id="a group's field"),
        pytest.param([("title", "=", "a")], id="another language"),
        pytest.param([("partner_id.name", "=", "a")], id="another table"),
        pytest.param([("partner_id", "=", "a name")], id="a search by name"),
        pytest.param([("id", "child_of", 1)], id="a hierarchy"),
        pytest.param([("length", "=", 1)], id="no column"),
        pytest.param(["!", ("tag_ids", "in", [1])], id="many records"),
        pytest.param(["|", ("flag", "=", True), ("moment", ">", "2026-01-01")], id="a moment"),
    ],
)
def test_a_condition_that_can_change_its_meaning_is_not_plain(transactions: Transactions, domain: list[Any]) -> None:
    assert not transactions.run(lambda root: is_plain_domain(Domain(domain), root["test.record"]))


@pytest.mark.parametrize("model", ["ir.attachment", "mail.message", "product.product", "res.users"])
def test_a_model_that_searches_in_its_own_way_is_not_plain(transactions: Transactions, model: str) -> None:
    assert not transactions.run(lambda root: is_plain_model(root[model]))


@pytest.mark.parametrize("order", ["per_company", "length", "properties.a", "for_managers", "nothing"])
def test_an_order_by_more_than_columns_is_not_plain(transactions: Transactions, order: str) -> None:
    assert not transactions.run(lambda root: is_plain_order(root["test.record"], order))


#: Fields enough for it to pay to look them up late.
WIDE = ["name", "count", "flag", "title"]


def page_of(model: Any, order: str | None, limit: int, offset: int) -> list[dict[str, Any]]:
    model.env.invalidate_all()
    found = cached.search_fetch(model, [], WIDE, order=order, limit=limit, offset=offset)
    return rows(columns.read(found, WIDE))


@pytest.mark.parametrize("order", [None, "id desc", "flag, id", "partner_id desc, id", "count, name desc, id desc"])
def test_a_deep_page_has_the_rows_and_the_order_of_any_other(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch, order: str | None
) -> None:
    def work(root: Environment) -> None:
        partners = root["res.partner"].search([], limit=3).ids
        values = [{"name": f"Deep {n % 5}", "partner_id": partners[n % 3], "count": n % 4} for n in range(40)]
        root["test.record"].create(values)
        model = as_demo(root)
        for limit, offset in ((7, 1), (10, 25), (5, 39), (3, 1000)):
            monkeypatch.setattr(deep_pages, "DEEP", 10_000)
            expected = page_of(model, order, limit, offset)
            monkeypatch.setattr(deep_pages, "DEEP", 1)
            assert page_of(model, order, limit, offset) == expected

    transactions.run(work, keep=False)


@pytest.mark.parametrize(
    ("order", "offset", "names", "late"),
    [
        pytest.param("name, id", deep_pages.DEEP, WIDE, True, id="far back"),
        pytest.param("name, id", deep_pages.DEEP - 1, WIDE, False, id="not so far"),
        pytest.param("name", deep_pages.DEEP, WIDE, False, id="with equal records"),
        pytest.param("id desc", deep_pages.DEEP, WIDE, False, id="by an index"),
        pytest.param("name, id", deep_pages.DEEP, WIDE[1:], False, id="of few columns"),
    ],
)
def test_rows_are_looked_up_late_only_where_that_is_less_work(
    transactions: Transactions, order: str, offset: int, names: list[str], late: bool
) -> None:
    def work(root: Environment) -> str:
        statement = statements.statement(as_demo(root), [], WantedNames(tuple(names)), order, by_ids=False)
        assert statement is not None
        assert statement.search is not None
        page = statement.search.page(80, offset)
        assert page.params[-1] == offset
        return str(page.code)

    code = transactions.run(work)
    assert ("IN (SELECT" in code) is late
    assert code.count("ORDER BY") == 1 + late
