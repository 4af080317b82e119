"""What is remembered of the definitions of fields gives creates and writes the same as Odoo's own way."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from markupsafe import Markup

from app.web.routing import Gatehouse
from odoo_bridge import fast, records
from odoo_bridge.fast import writes
from odoo_bridge.transaction import Environment, act_as
from tests.http.queries import counted_queries

pytestmark = pytest.mark.usefixtures("all_pieces")

PARTNER = "res.partner"
#: Names of fields that have another default each time.
RANDOM = re.compile("token|uuid|key|code|secret")


def both(app: Gatehouse, work: Callable[[Environment], Any]) -> tuple[Any, Any]:
    """Return what a piece of work finds with what is remembered, and without; nothing of it stays."""
    found = []
    for way in (nullcontext(), fast.without("writes")):
        with way:
            found.append(app.services.transactions.run(lambda root: work(act_as(root, 2, {})), keep=False))
    return found[0], found[1]


def models(env: Environment) -> Iterator[Any]:
    """Yield all models that have tables."""
    return (env[name] for name, model in sorted(env.registry.items()) if model._auto and not model._abstract)


def as_lists(tree: Any) -> Any:
    """Return a tree of triggers with its order."""
    return list(tree.root), [(label, as_lists(branch)) for label, branch in tree.items()]


def assert_trees_are_odoos(model: Any, fields: list[Any]) -> None:
    def select(field: Any) -> bool:
        return (field.compute and field.store) or bool(field._get_all_cache_ids(model.env))

    odoos = as_lists(model.pool.get_trigger_tree(fields, select))
    assert [as_lists(writes._trigger_tree(model, tuple(fields))) for _ in range(2)] == [odoos, odoos]


@pytest.mark.parametrize("read", [False, True], ids=["empty cache", "some of it read"])
def test_what_depends_on_fields_is_what_odoo_finds(app: Gatehouse, read: bool) -> None:
    def work(root: Environment) -> int:
        env = act_as(root, 2, {})
        if read:
            partners = env[PARTNER].search([], limit=3)
            partners.read(["display_name", "email_formatted", "contact_address_inline", "user_ids", "child_ids"])
            env.company.partner_id.with_context(lang="en_US").read(["display_name"])
        for model in models(env):
            fields = list(model._fields.values())
            assert_trees_are_odoos(model, fields)
            for field in fields:
                assert_trees_are_odoos(model, [field])
        return len(writes._known(env.registry).trees)

    assert app.services.transactions.run(work, keep=False) <= writes._MOST_TREES


def test_what_is_known_of_fields_is_forgotten_with_odoos_own_trees(app: Gatehouse) -> None:
    def work(root: Environment) -> None:
        root[PARTNER].default_get(["lang"])
        known = writes._known(root.registry)
        assert known.defaults
        assert writes._known(root.registry) is known
        root.registry._field_trigger_trees.clear()
        assert not writes._known(root.registry).defaults

    app.services.transactions.run(work, keep=False)


@pytest.mark.parametrize("context", [{}, {"default_name": "X", "default_nothing": 1, "default_user_id": 2}])
def test_defaults_are_those_of_odoo_in_their_order(app: Gatehouse, context: dict[str, Any]) -> None:
    def work(env: Environment) -> dict[str, Any]:
        random.seed(1)  # colours
        env["ir.default"].sudo().set(PARTNER, "city", "Ghent")
        found: dict[str, Any] = {}
        for model in models(env(context=context)):
            try:
                defaults = model.default_get([*model._fields, "nothing"])
            except Exception as error:  # noqa: BLE001  some want more of the context: the same error then
                found[model._name] = repr(error)
            else:
                found[model._name] = [
                    (name, type(value), None if RANDOM.search(name) else str(value)[:10])
                    for name, value in defaults.items()
                ]
        return found

    ours, odoos = both(app, work)
    assert ours == odoos
    assert ("city", str, "Ghent") in ours[PARTNER]


def test_lists_in_the_cache_take_up_what_is_created(app: Gatehouse) -> None:
    def work(env: Environment) -> Any:
        partners = env[PARTNER].create([{"name": "One"}, {"name": "Two"}])
        for partner in partners:
            assert not partner.activity_ids  # read, so that the cache has them
            activity = {"res_model_id": env["ir.model"]._get_id(PARTNER), "res_id": partner.id}
            env["mail.activity"].create([{**activity, "summary": "1"}, {**activity, "summary": "2"}])
        draft = env[PARTNER].new({"name": "Draft"})
        attachments = env["ir.attachment"].create({"name": "A", "res_model": PARTNER, "res_id": partners[0].id})
        found = []
        for record in (*partners, draft):
            for name, field in sorted(record._fields.items()):
                ids = field._get_cache(env).get(record.id) if field.type == "one2many" else None
                if ids:
                    lines = env[field.comodel_name].browse(ids)
                    found.append((name, [(line._name, line.display_name or line.id > 0) for line in lines]))
        return found, len(attachments)

    ours, odoos = both(app, work)
    assert ours == odoos
    assert {"activity_ids", "message_follower_ids"} <= dict(ours[0]).keys()


@pytest.mark.parametrize(
    "text",
    [
        "Contact created",
        "<p onclick='x()'>Hi<script>alert(1)</script></p>",
        Markup("<span>Contact created</span>"),
        "<!--[if mso]>x<![endif]-->",
        "\x00",
        "é\xa0ü" * 200,
        "",
        None,
    ],
)
def test_html_is_sanitized_as_ever(text: Any) -> None:
    options = ({}, {"sanitize_tags": False, "strip_style": True}, {"sanitize_attributes": True})
    for _ in range(2):
        for each in options:
            ours, odoos = writes.html_sanitize(text, **each), writes._html_sanitize(text, **each)
            assert (ours, type(ours)) == (odoos, type(odoos))


def test_rows_are_those_that_odoo_writes(app: Gatehouse) -> None:
    def work(env: Environment) -> Any:
        created = records.create(env, PARTNER, [{"name": "Parent", "is_company": True}, {"name": "Other"}])
        records.create(env, PARTNER, [{"name": "Child", "parent_id": created[0], "type": "contact"}])
        records.write(env, PARTNER, created, {"email": "x@example.com", "city": "Ghent", "vat": "BE0477472701"})
        env.flush_all()
        columns = "name, complete_name, email, email_normalized, city, vat, commercial_partner_id - %s, lang, active"
        env.cr.execute(f"SELECT {columns} FROM res_partner WHERE id >= %s ORDER BY id", (created[0], created[0]))
        rows = env.cr.fetchall()
        env.cr.execute(
            "SELECT body, message_type, subtype_id, author_id, email_from, m.res_id - %s, field_id, old_value_char, "
            "new_value_char FROM mail_message m LEFT JOIN mail_tracking_value v ON v.mail_message_id = m.id "
            "WHERE m.model = 'res.partner' AND m.res_id >= %s ORDER BY m.id, v.id",
            (created[0], created[0]),
        )
        return rows, env.cr.fetchall()

    ours, odoos = both(app, work)
    assert ours == odoos
    assert len(ours[0]) == 3
    assert len(ours[1]) >= 3


#: Statements that writing one partner costs at most, and that the prefetch of the writer's rows spares at least.
STATEMENTS = {
    "without chatter": {"create": (3, 3), "update": (3, 7)},
    "with chatter": {"create": (6, 4), "update": (5, 7)},
}


@pytest.fixture
def one_company(root: Callable[..., Any]) -> Iterator[None]:
    """Leave the admin their own company alone: Odoo reads those of a user who has several, with one statement more."""

    def give(env: Environment, companies: list[int] | None = None) -> list[int]:
        admin = env["res.users"].browse(2)
        before: list[int] = admin.company_ids.ids
        admin.company_ids = companies or admin.company_id.ids
        return before

    before = root(give)
    yield
    root(lambda env: give(env, before))


@pytest.mark.usefixtures("one_company")
@pytest.mark.parametrize("chatter", STATEMENTS)
def test_one_record_costs_no_more_statements_than_it_did(
    app: Gatehouse, chatter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = app.services.transactions.run
    context = {"tracking_disable": True} if chatter == "without chatter" else {}

    def create(root: Environment) -> int:
        env = act_as(root, 2, context)
        (created,) = records.create(env, PARTNER, [{"name": "Somebody", "email": "somebody@example.com"}])
        env.cr.flush()  # and what Odoo does before a commit
        return created

    def update(root: Environment, record_id: int, phone: str = "+32 2 290 34 90") -> None:
        env = act_as(root, 2, context)
        assert records.visible_to_write(env, PARTNER, [record_id], [])
        records.write(env, PARTNER, [record_id], {"phone": phone})
        env.cr.flush()

    created = run(create)  # and fills the caches that outlive a call, as nothing does that is rolled back
    run(lambda root: update(root, created))
    phones = (f"+32 2 290 34 {number}" for number in range(10, 99))
    works: dict[str, Callable[[Environment], Any]] = {
        "create": create,
        "update": lambda root: update(root, created, next(phones)),
    }

    def count(work: Callable[[Environment], Any]) -> int:
        for _ in range(3):  # so that it is foreseen what such a write reads
            run(work, keep=False)
        with counted_queries(monkeypatch) as queries:
            run(work, keep=False)
        return len(queries)

    ours = {name: count(work) for name, work in works.items()}
    with fast.without("prefetch"):
        odoos = {name: count(work) for name, work in works.items()}
    run(lambda root: records.unlink(act_as(root, 2, {}), PARTNER, [created]))
    for name, (most, spared) in STATEMENTS[chatter].items():
        assert ours[name] <= most, name
        assert odoos[name] - ours[name] >= spared, name
