"""What Odoo reads by itself is the same by remembered SQL, for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from odoo.exceptions import AccessError  # noqa: TID251  the tests ask Odoo itself

from app.web.routing import Gatehouse
from odoo_bridge import fast
from odoo_bridge.fast import fetches
from odoo_bridge.transaction import Environment, act_as

pytestmark = pytest.mark.usefixtures("all_pieces")

PARTNER, USER = "res.partner", "res.users"


def both(app: Gatehouse, work: Callable[[Environment], Any]) -> tuple[Any, Any]:
    """Return what a piece of work finds with remembered SQL, the second time, and without; nothing of it stays."""
    found = []
    for way in (nullcontext(), nullcontext(), fast.without("fetches")):
        with way:
            found.append(app.services.transactions.run(work, keep=False))
    return found[1], found[2]


def models(env: Environment) -> Iterator[Any]:
    """Yield all models that have tables, with some of their records."""
    for name, model in sorted(env.registry.items()):
        if model._auto and not model._abstract:
            yield env[name].sudo().with_context(active_test=False).search([], limit=3).with_env(env)


def cached(records: Any) -> dict[str, Any]:
    """Return what the cache holds of records, by field."""
    fields = records._fields.values()
    return {
        field.name: {each: cache[each] for each in records._ids if each in cache}
        for field in fields
        if (cache := field._get_cache(records.env))
    }


def attempt(env: Environment, do: Callable[[], Any]) -> Any:
    try:
        with env.cr.savepoint(flush=False):
            return do()
    except Exception as error:  # noqa: BLE001  the same one is to be raised without it
        return repr(error)[:300]


def uid_of(root: Environment, login: str) -> int:
    return int(root[USER].with_context(active_test=False).search([("login", "=", login)]).id)


@pytest.mark.parametrize(("login", "su"), [("admin", False), ("admin", True), ("demo", False), ("portal", False)])
def test_every_model_is_fetched_as_by_odoo(app: Gatehouse, login: str, su: bool) -> None:
    def work(root: Environment) -> dict[str, Any]:
        found = {}
        env = act_as(root, uid_of(root, login), {"lang": "en_US"})(su=su)
        for records in models(env):
            env.invalidate_all()
            found[records._name] = attempt(env, records.fetch), cached(records)
            for name, field in records._fields.items():
                if field.type == "one2many" and field.store:
                    found[f"{records._name}.{name}"] = (
                        attempt(env, lambda f=field, r=records: f.read(r)),
                        cached(records),
                    )
        return found

    ours, odoos = both(app, work)
    assert ours.keys() == odoos.keys()
    assert {name for name in ours if ours[name] != odoos[name]} == set()
    assert any(values for _, values in ours.values())


def test_a_record_that_the_user_may_not_see_is_refused(app: Gatehouse) -> None:
    def work(root: Environment) -> str:
        hidden = root["res.company"].create({"name": "Hidden"})
        partner = root[PARTNER].create({"name": "Of another company", "company_id": hidden.id})
        root.flush_all()
        root.invalidate_all()
        env = act_as(root, 2, {})
        seen = env[PARTNER].browse(env.user.partner_id.id)
        seen.fetch(["name"])
        with pytest.raises(AccessError) as refused:
            (seen + env[PARTNER].browse(partner.id)).fetch(["name", "email"])
        assert partner.id not in env.registry[PARTNER]._fields["email"]._get_cache(env)
        return str(refused.value).replace(str(partner.id), "ID")

    ours, odoos = both(app, work)
    assert ours == odoos


def test_rights_that_have_changed_hold_at_once(app: Gatehouse) -> None:
    def work(root: Environment) -> None:
        partner = root[PARTNER].create({"name": "Somebody"})
        root.flush_all()
        env = act_as(root, 2, {})

        def may_fetch() -> bool:
            env.invalidate_all()
            try:
                env[PARTNER].browse(partner.id).fetch(["name"])
            except AccessError:
                return False
            return True

        assert [may_fetch(), may_fetch()] == [True, True]
        model = root["ir.model"]._get(PARTNER)
        rule = root["ir.rule"].create({"name": "None", "model_id": model.id, "domain_force": "[('id', '<', 0)]"})
        assert [may_fetch(), may_fetch()] == [False, False]
        rule.unlink()
        assert may_fetch()

    app.services.transactions.run(work, keep=False)


def test_what_is_not_written_yet_is_kept_and_found(app: Gatehouse) -> None:
    def work(root: Environment) -> Any:
        env = act_as(root, 2, {})
        parent = env[PARTNER].create({"name": "Parent"})
        child = env[PARTNER].create({"name": "Child", "parent_id": parent.id})
        env.flush_all()
        env.invalidate_all()
        child.name = "Renamed"  # stays in the cache, and is fetched over
        child.fetch(["name", "email", "parent_id"])
        other = env[PARTNER].create({"name": "Other"})
        parent.invalidate_recordset(["child_ids"])
        other.parent_id = parent
        return child.name, parent.child_ids.mapped("name")

    ours, odoos = both(app, work)
    assert ours == odoos == ("Renamed", ["Other", "Renamed"])


def test_a_translated_field_is_that_of_the_language(app: Gatehouse) -> None:
    def work(root: Environment) -> list[str]:
        root["res.lang"]._activate_lang("fr_FR")
        country = root["res.country"].search([("code", "=", "DE")])
        country.with_context(lang="fr_FR").name = "Allemagne"
        country.with_context(lang="en_US").name = "Germany"
        root.flush_all()
        found = []
        for lang in ("fr_FR", "en_US", None, "fr_FR"):
            root.invalidate_all()
            found.append(act_as(root, 2, {"lang": lang} if lang else {})["res.country"].browse(country.id).name)
        return found

    ours, odoos = both(app, work)
    assert ours == odoos == ["Allemagne", "Germany", "Germany", "Allemagne"]


def test_the_sql_is_made_once(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    made_anew = fetches._made
    monkeypatch.setattr(fetches, "_made", lambda *arguments: made.append(arguments) or made_anew(*arguments))

    def work(root: Environment) -> None:
        env = act_as(root, 2, {"lang": "en_US"})
        partners = env[PARTNER].search([], limit=2)
        for partner in partners:
            env.invalidate_all()
            partner.fetch(["name"])
            assert isinstance(partner.child_ids._ids, tuple)

    app.services.transactions.run(work)
    made.clear()
    app.services.transactions.run(work)
    assert made == []
