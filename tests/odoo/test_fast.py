"""The fast pieces can be switched off, and what comes out is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.web.routing import Gatehouse
from odoo_bridge import fast, records
from odoo_bridge.fast import PIECES, Piece
from odoo_bridge.transaction import Environment, Limits, Transactions, act_as
from odoo_bridge.types import Selection

WANTED = Selection(("name", "phone", "company_id"), {"parent_id": Selection(("name",), {})})


@pytest.fixture
def transactions(app: Gatehouse, database: str) -> Transactions:
    return Transactions(database, Limits())


def _partners(root: Environment) -> Any:
    env = act_as(root, root.ref("base.user_admin").id, {})
    page = records.search(env, "res.partner", [], WANTED, order="name desc", limit=20, offset=0, count="exact")
    return page.length, page.table


def _written(root: Environment) -> Any:
    env = act_as(root, root.ref("base.user_admin").id, {})
    ids = records.create(env, "res.partner", [{"name": "fast or not"}])
    return records.read(env, "res.partner", ids, Selection(("name", "create_uid"), {})).values


@pytest.mark.parametrize("work", [_partners, _written])
@pytest.mark.parametrize("piece", PIECES)
def test_each_piece_gives_what_odoos_own_way_gives(
    transactions: Transactions, piece: Piece, work: Callable[[Environment], Any]
) -> None:
    with_it = transactions.run(work, keep=False)
    with fast.without(piece):
        assert not fast.is_on(piece)
        assert transactions.run(work, keep=False) == with_it


def test_all_of_them_are_switched_at_once(all_pieces: None, caplog: pytest.LogCaptureFixture) -> None:
    fast.switch(on=False)
    assert not any(map(fast.is_on, PIECES))
    assert "GATEHOUSE_FAST=off" in caplog.text
    fast.switch(on=True)
    assert all(map(fast.is_on, PIECES))
    fast.switch_off("statements", "BaseModel._search is another one")
    assert [piece for piece in PIECES if not fast.is_on(piece)] == ["statements", "rows"]
