"""Counts of many records: exact while small, then by a sample, and never by what the user may not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.web.routing import Gatehouse
from odoo_bridge import estimates, records
from odoo_bridge.transaction import Environment, act_as
from odoo_bridge.types import Length, Page, Selection

Estimate = tuple[int, bool]
BOUND, MANY = 100, 8000
NAMED = [("name", "like", "Many")]
#: Every third is another user's and hidden, every seventh is archived.
_MAKE = """
INSERT INTO test_record (name, owner_id, active, count)
SELECT 'Many ' || n || repeat('x', 100), CASE WHEN n %% 3 = 0 THEN %s END, n %% 7 <> 0, n %% 10
FROM generate_series(1, %s) n
"""


@pytest.fixture(autouse=True)
def low_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few records are many, and a sample is an eighth of them."""
    monkeypatch.setattr(estimates, "BOUND", BOUND)
    monkeypatch.setattr(estimates, "SAMPLE", 192 * 1024)


def with_many(app: Gatehouse, work: Callable[[Any], Any], login: str = "base.user_demo") -> Any:
    """Return what ``work(model)`` returns where a table has many records."""

    def within(root: Environment) -> Any:
        root.cr.execute(
            "TRUNCATE test_record CASCADE"
        )  # which gives it a file of its own: pages without what others left
        root.cr.execute(_MAKE, (root.ref("base.user_admin").id, MANY))
        root.cr.execute("ANALYZE test_record")
        return work(act_as(root, root.ref(login).id, {"lang": "en_US"})["test.record"])

    return app.services.transactions.run(within, keep=False)


@pytest.mark.parametrize(
    "domain",
    [
        pytest.param([], id="all that the user may see"),
        pytest.param([("count", "<", 5)], id="half of them"),
        pytest.param([("active", "=", False)], id="archived"),
        pytest.param(["|", ("partner_id.name", "=", "nobody"), ("count", "in", [1, 2, 3])], id="by another table"),
    ],
)
def test_many_are_counted_about(app: Gatehouse, domain: list[Any]) -> None:
    def work(model: Any) -> tuple[Estimate, int]:
        return estimates.count(model, domain), model.search_count(domain)

    (found, estimated), exact = with_many(app, work)
    assert estimated
    assert exact > BOUND
    assert 0.5 * exact < found < 2 * exact
    assert found == estimates.rounded(found)


@pytest.mark.parametrize("domain", [[("name", "=", "nothing")], [("count", "=", 3), ("name", "like", "Many 11")]])
def test_few_are_counted_exactly(app: Gatehouse, domain: list[Any]) -> None:
    found, exact = with_many(app, lambda model: (estimates.count(model, domain), model.search_count(domain)))
    assert found == (exact, False)
    assert exact <= BOUND


def test_a_table_no_larger_than_a_sample_is_counted_exactly(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "SAMPLE", 2**30)
    found, exact = with_many(app, lambda model: (estimates.count(model, []), model.search_count([])))
    assert found == (exact, False)


def test_a_view_is_counted_exactly(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(model: Any) -> tuple[Estimate, int]:
        monkeypatch.setattr(type(model), "_auto", False)
        return estimates.count(model, []), model.search_count([])

    found, exact = with_many(app, work)
    monkeypatch.undo()
    assert found == (exact, False)


@pytest.mark.parametrize(
    "probe",
    [
        pytest.param(("count", "=", 777), id="a value of theirs alone"),
        pytest.param(("count", ">", 100), id="a range"),
        pytest.param(("owner_id", "!=", False), id="what hides them"),
    ],
)
def test_values_of_hidden_records_move_no_estimate(app: Gatehouse, probe: tuple[str, str, Any]) -> None:
    """The planner would say: 3,000 more. With a condition that many meet no bound keeps that in."""

    def work(model: Any) -> tuple[Estimate, Estimate]:
        model.env.cr.execute("UPDATE test_record SET count = 777 WHERE owner_id = 2 AND name LIKE 'Many%'")
        model.env.cr.execute("ANALYZE test_record")
        return estimates.count(model, NAMED), estimates.count(model, ["|", probe, *NAMED])

    alone, probed = with_many(app, work)
    assert probed == alone
    assert alone[1]


@pytest.mark.parametrize("offset", [0, 50, 3000, 2 * MANY])
def test_an_estimate_agrees_with_the_page(app: Gatehouse, monkeypatch: pytest.MonkeyPatch, offset: int) -> None:
    def work(model: Any) -> tuple[Page, int]:
        page = records.search(
            model.env, model._name, [], Selection(("name",), {}), order="id", limit=20, offset=offset, count="estimate"
        )
        return page, model.search_count([])

    page, exact = with_many(app, work)
    assert page.more == (offset + 20 < exact)
    assert page.length.number >= BOUND + 1
    if page.more:
        assert page.length.number > offset + 20
    if not page.table.ids:
        assert page.length.number <= offset


def test_the_last_page_tells_the_number_itself(app: Gatehouse) -> None:
    def work(model: Any) -> tuple[Length, int]:
        exact = model.search_count([])
        page = records.search(
            model.env, model._name, [], Selection((), {}), order="id", limit=20, offset=exact - 5, count="estimate"
        )
        return page.length, exact

    length, exact = with_many(app, work)
    assert length == Length(exact)


@pytest.mark.parametrize(
    ("number", "expected"), [(0, 0), (7, 7), (10_049, 10_000), (123_456, 120_000), (99_900, 100_000)]
)
def test_two_digits_are_told(number: float, expected: int) -> None:
    assert estimates.rounded(number) == expected
