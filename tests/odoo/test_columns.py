"""Reading by columns gives what Odoo's own reading gives, for every model that has records."""

from __future__ import annotations

from typing import Any

import pytest

from app.web.routing import Gatehouse
from odoo_bridge.errors import BridgeError
from odoo_bridge.fast import columns
from odoo_bridge.transaction import Environment, act_as
from tests.odoo.tables import rows

pytestmark = pytest.mark.usefixtures("all_pieces")


def models_with_records(env: Environment) -> list[Any]:
    found = []
    for name in sorted(env.registry):
        model = env[name]
        if not model._abstract and not model._transient and model._auto and model.has_access("read"):
            records = model.with_context(active_test=False).search([], limit=7)
            if records:
                found.append(records)
    return found


def readable(records: Any) -> list[str]:
    return [name for name, field in records._fields.items() if records._has_field_access(field, "read")]


@pytest.mark.parametrize("context", [{}, {"lang": "fr_BE", "bin_size": True}], ids=["plain", "translated"])
@pytest.mark.parametrize("display_names", [True, False])
def test_the_values_are_odoos(app: Gatehouse, display_names: bool, context: dict[str, Any]) -> None:
    def work(root: Environment) -> tuple[int, int]:
        root["res.lang"]._activate_lang("fr_BE")
        env = act_as(root, 2, context)
        by_column = compared = 0
        for records in models_with_records(env):
            names = [name for name in readable(records) if records._fields[name].store and name != "id"]
            env.invalidate_all()
            records.fetch(names)
            table = columns.read(records, names) if display_names else columns.read(records, (), names)
            env.invalidate_all()
            expected = records._read_format(names, load="_classic_read" if display_names else None)
            assert rows(table) == expected, records._name
            fast = [name for name in names if columns._column(records, records._fields[name], True) is not None]
            by_column += len(fast)
            compared += len(names)
        return by_column, compared

    by_column, compared = app.services.transactions.run(work, keep=False)
    assert compared > 500
    assert by_column / compared > 0.8  # what is left to Odoo is the exception


def test_a_record_that_is_gone_is_left_out(app: Gatehouse) -> None:
    def work(root: Environment) -> list[dict[str, Any]]:
        env = act_as(root, 2, {})
        kept, gone = env["res.partner"].create([{"name": "Kept"}, {"name": "Gone"}])
        pair = kept + gone
        gone.unlink()
        return rows(columns.read(pair, ["name"]))

    (row,) = app.services.transactions.run(work, keep=False)
    assert row["name"] == "Kept"


def test_a_field_of_a_group_is_refused_as_odoo_refuses_it(app: Gatehouse) -> None:
    def work(root: Environment) -> None:
        demo = root.ref("base.user_demo")
        columns.read(act_as(root, demo.id, {})["res.users"].browse(demo.id), ["login", "totp_secret"])

    with pytest.raises(BridgeError, match="no right"):
        app.services.transactions.run(work, keep=False)
