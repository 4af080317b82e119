"""What a write is going to read is asked beforehand, and is what Odoo would have read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from odoo.exceptions import AccessError  # noqa: TID251  what Odoo raises

from app.web.routing import Gatehouse
from odoo_bridge import fast, records
from odoo_bridge.fast import foresight
from odoo_bridge.transaction import Environment, act_as
from tests.http.queries import counted_queries

pytestmark = pytest.mark.usefixtures("all_pieces")

PARTNER = "res.partner"
PHONE = {"phone": "+32 2 290 34 90"}
Work = Callable[[Environment], Any]


def learned(app: Gatehouse, work: Work) -> None:
    """Do a piece of work often enough for its kind of write to be known; nothing of it stays.

    First the caches of rules are filled, as by any call before: they read the user by themselves.
    """
    run = app.services.transactions.run
    run(lambda root: records.visible_to_write(act_as(root, 2, {}), PARTNER, [1], []))
    for _ in range(3):
        run(lambda root: work(act_as(root, 2, {})), keep=False)


def update(env: Environment, record_id: int, values: dict[str, Any] = PHONE) -> None:
    """Update a partner, with all that Odoo leaves to the commit."""
    assert records.visible_to_write(env, PARTNER, [record_id], [])
    records.write(env, PARTNER, [record_id], dict(values))
    env.cr.flush()


def alone(env: Environment) -> Any:
    """Return a partner that nothing refers to, of whom nothing is in the cache."""
    partner = env[PARTNER].search([("child_ids", "=", False), ("user_ids", "=", False)], limit=1)
    env.invalidate_all()
    return partner


def update_alone(env: Environment) -> None:
    """Update a partner that nothing refers to."""
    update(env, alone(env).id)


def own_rows(env: Environment) -> list[Any]:
    """Return what has become of partners and of messages, with no number that a sequence gives."""
    env.flush_all()
    env.cr.execute("SELECT name, complete_name, phone, phone_sanitized, city, active FROM res_partner ORDER BY id")
    partners = env.cr.fetchall()
    env.cr.execute("SELECT id, name, phone, email FROM res_company ORDER BY id")
    companies = env.cr.fetchall()
    env.cr.execute("SELECT model, body FROM mail_message ORDER BY id DESC LIMIT 20")
    return [partners, companies, env.cr.fetchall()]


def test_an_update_searches_for_nothing_that_refers_to_a_record_alone(
    app: Gatehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned(app, update_alone)

    def work(root: Environment) -> list[str]:
        env = act_as(root, 2, {})
        partner = alone(env)
        with counted_queries(monkeypatch) as queries:
            update(env, partner.id)
        return [query for query in queries if re.search(r'"(partner_id|parent_id)" IN', query)]

    assert app.services.transactions.run(work, keep=False) == []


def test_a_write_to_several_records_is_as_ever_after_writes_to_one(app: Gatehouse) -> None:
    def one_with_a_country(env: Environment) -> None:
        partner = alone(env)
        partner.country_id = env.ref("base.be")
        env.flush_all()
        env.invalidate_all()
        update(env, partner.id)

    learned(app, one_with_a_country)

    def several(root: Environment) -> list[str]:
        env = act_as(root, 2, {})
        partners = env[PARTNER].search([], limit=3)
        env.invalidate_all()
        records.write(env, PARTNER, partners.ids, dict(PHONE))
        return [str(phone) for phone in partners.mapped("phone")]

    assert app.services.transactions.run(several, keep=False) == [PHONE["phone"]] * 3


def with_child(env: Environment) -> int:
    company = env[PARTNER].create({"name": "Parent", "is_company": True, "city": "Ghent"})
    env[PARTNER].create({"name": "Child", "type": "contact", "parent_id": company.id})
    env.flush_all()
    env.invalidate_all()
    return int(company.id)


def child_after_the_question(env: Environment) -> None:
    company = env[PARTNER].create({"name": "Parent", "is_company": True})
    env.flush_all()
    env.invalidate_all()
    update(env, company.id)
    env[PARTNER].create({"name": "Child", "type": "contact", "parent_id": company.id})
    update(env, company.id, {"name": "Renamed", "city": "Ghent"})


def address_of_the_company(env: Environment) -> None:
    update(env, env.company.partner_id.id, {"phone": "+32 2 000 00 00", "city": "Ghent"})


def one_of_others(env: Environment) -> None:
    update(env, with_child(env), {"name": "Renamed", "city": "Antwerp"})


def user_that_was_moved(env: Environment) -> None:
    other = env[PARTNER].create({"name": "Other"})
    env.flush_all()
    update(env, other.id)
    env.cr.execute("UPDATE res_company SET partner_id = %s WHERE id = %s", (other.id, env.company.id))
    env.invalidate_all()
    update(env, other.id, {"phone": "+32 2 111 11 11"})


def a_line_that_a_savepoint_brings_back(env: Environment) -> None:
    company_id = with_child(env)
    savepoint = env.cr.savepoint()
    with savepoint:
        env[PARTNER].browse(company_id).child_ids.unlink()
        update(env, company_id)
        savepoint.rollback()
    env.invalidate_all()
    update(env, company_id, {"name": "Renamed", "city": "Antwerp"})


@pytest.mark.parametrize(
    "work",
    [
        update_alone,
        one_of_others,
        child_after_the_question,
        address_of_the_company,
        user_that_was_moved,
        a_line_that_a_savepoint_brings_back,
    ],
    ids=lambda work: work.__name__,
)
def test_rows_are_those_that_are_written_without_it(app: Gatehouse, work: Work) -> None:
    def found(root: Environment) -> list[Any]:
        env = act_as(root, 2, {})
        work(env)
        return own_rows(env)

    for values in (PHONE, {"name": "", "city": ""}, {"phone": "", "city": ""}):
        learned(app, lambda env, values=values: update(env, 8, dict.fromkeys(values, "x")))  # type: ignore[misc]
    ours = app.services.transactions.run(found, keep=False)
    with fast.without("foresight"):
        odoos = app.services.transactions.run(found, keep=False)
    assert ours == odoos


def test_a_row_that_was_read_twice_is_read_with_the_writers(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def create(env: Environment) -> list[str]:
        with counted_queries(monkeypatch) as queries:
            records.create(env, PARTNER, [{"name": "Somebody"}])
            env.cr.flush()
        return [query for query in queries if query.startswith('SELECT "ir_model"."id"')]

    def run() -> list[str]:
        return app.services.transactions.run(lambda root: create(act_as(root, 2, {})), keep=False)

    learned(app, create)
    assert run() == []
    with fast.without("foresight"):
        assert len(run()) == 1


def test_a_row_that_the_record_leads_to_is_that_of_each_record(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = iter(["BE", "FR", "DE", "CH"])

    def work(env: Environment) -> tuple[list[str], str]:
        code = next(codes)
        country = env["res.country"].search([("code", "=", code)])
        partner = env[PARTNER].create({"name": code, "country_id": country.id})
        env.flush_all()
        env.invalidate_all()
        with counted_queries(monkeypatch) as queries:
            update(env, partner.id, {**PHONE, "ref": code})  # a kind of its own
            found = env[PARTNER].browse(partner.id).country_id.code
        return [query for query in queries if query.startswith('SELECT "res_country"."id"')], found

    learned(app, work)
    assert app.services.transactions.run(lambda root: work(act_as(root, 2, {})), keep=False) == ([], "CH")


def refuse(records: Any, operation: str) -> Any:
    """Refuse any access, in place of a model's ``_check_access``."""
    return records, lambda: AccessError("No.")


def read_country(app: Gatehouse, meanwhile: Callable[[Environment, int], None]) -> str:
    """Return the code of a partner's country, which was foreseen, as Odoo finds it after something has happened."""

    def work(env: Environment, *, learning: bool = True) -> str:
        country = env["res.country"].search([("code", "=", "BE")])
        partner = env[PARTNER].create({"name": "Belgian", "country_id": country.id})
        env.flush_all()
        env.invalidate_all()
        assert records.visible_to_write(env, PARTNER, [partner.id], [])
        records.write(env, PARTNER, [partner.id], {"ref": "B", "color": 1})  # a kind of its own
        if not learning:
            assert [row for row in env.cr.foresight.rows if row[0] == "res.country"]
            meanwhile(env, country.id)
        try:
            return str(env[PARTNER].browse(partner.id).country_id.code)
        except AccessError as error:
            return str(error)

    learned(app, work)
    return app.services.transactions.run(lambda root: work(act_as(root, 2, {}), learning=False), keep=False)


def test_a_foreseen_row_is_kept_from_who_may_not_read_it(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(env: Environment, _country_id: int) -> None:
        monkeypatch.setattr(type(env["res.country"]), "_check_access", refuse)

    assert read_country(app, forbid) == "No."


def test_a_foreseen_row_that_is_written_meanwhile_is_read_anew(app: Gatehouse) -> None:
    def rename(env: Environment, country_id: int) -> None:
        env.cr.execute("UPDATE res_country SET code = 'XX' WHERE id = %s", (country_id,))

    assert read_country(app, rename) == "XX"


def test_only_tables_are_asked_whether_anything_refers_to_a_record(app: Gatehouse) -> None:
    """Of a view it can't be told whether a transaction has changed it."""

    def work(root: Environment) -> tuple[set[str], set[str]]:
        fields = [field for model in root.registry.values() for field in model._fields.values()]
        asked = {root[field.model_name]._table for field in fields if foresight._is_plain(field, root)}
        root.cr.execute("SELECT relname FROM pg_class WHERE relkind = 'r'")
        return asked, {name for (name,) in root.cr.fetchall()}

    asked, tables = app.services.transactions.run(work, keep=False)
    assert {"res_partner", "res_users", "res_company"} <= asked
    assert asked <= tables


def test_lines_that_the_user_may_not_read_are_refused_as_ever(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(root: Environment) -> list[str]:
        env = act_as(root, 2, {})
        partner = alone(env)
        records.write(env, PARTNER, [partner.id], dict(PHONE))
        found = []
        with counted_queries(monkeypatch) as queries:
            for check in (None, refuse):
                partner._fields["user_ids"]._invalidate_cache(env)
                if check is not None:
                    monkeypatch.setattr(type(env["res.users"]), "_check_access", check)
                try:
                    found.append(str(partner.user_ids._ids))
                except AccessError as error:
                    found.append(str(error).splitlines()[-1])
        assert not [query for query in queries if '"partner_id" IN' in query]
        return found

    learned(app, update_alone)
    assert app.services.transactions.run(work, keep=False) == ["()", "No."]
