"""The transaction that the steps of an atomic batch share."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from app.web.routing import Gatehouse
from odoo_bridge import batches
from odoo_bridge.errors import Rejected
from odoo_bridge.sandbox import Registry, sql_db


class _Over(Exception):
    """The end of a batch that fails."""


def _run(app: Gatehouse, told: list[str], *, fails: bool) -> None:
    def work(root: Any) -> None:
        with batches.together(root, testing=False) as place:
            for step in ("first", "second"):
                for name in ("postcommit", "prerollback", "postrollback"):
                    getattr(place.cr, name).add(lambda step=step, name=name: told.append(f"{step} {name}"))
                if step == "first":
                    place.cr.commit()
            if fails:
                raise _Over

    app.services.transactions.run(work)


def test_hooks_of_all_steps_follow_the_commit(app: Gatehouse) -> None:
    told: list[str] = []
    _run(app, told, fails=False)
    assert told == ["first postcommit", "second postcommit"]


def test_hooks_of_all_steps_follow_the_rollback(app: Gatehouse) -> None:
    told: list[str] = []
    with pytest.raises(_Over):
        _run(app, told, fails=True)
    assert told == ["first prerollback", "second prerollback", "first postrollback", "second postrollback"]


def test_what_a_step_takes_back_by_itself_is_told_at_once(app: Gatehouse) -> None:
    told: list[str] = []

    def work(root: Any) -> None:
        with contextlib.suppress(_Over), batches.together(root, testing=False) as place:
            place.cr.postrollback.add(lambda: told.append("kept"))
            place.cr.commit()
            place.cr.postrollback.add(lambda: told.append("taken back"))
            place.cr.rollback()
            assert told == ["taken back"]

    app.services.transactions.run(work)
    assert told == ["taken back"]


def test_cursors_that_a_method_opens_may_end_in_any_order(app: Gatehouse) -> None:
    def work(root: Any) -> list[str]:
        found: list[str] = []
        with batches.together(root, testing=False) as place:
            first, second = root.registry.cursor(), root.registry.cursor()
            for cr, name in ((second, "a"), (place.cr, "b"), (first, "c")):
                cr.execute("SELECT %s", (name,))
                found += [row[0] for row in cr.fetchall()]
            second.commit()
            place.cr.commit()
            first.execute("SELECT 'd'")
            first.commit()
            place.cr.execute("SELECT 'e'")
            for cr in (first, second):
                cr.close()
        return found

    assert app.services.transactions.run(work) == ["a", "b", "c"]


def test_what_a_cursor_of_a_methods_own_has_done_is_undone_with_the_batch(app: Gatehouse) -> None:
    name = "of a cursor of its own"

    def work(root: Any) -> None:
        with batches.together(root, testing=False):
            with root.registry.cursor() as cr:
                root(cr=cr)["test.record"].create({"name": name})
            raise _Over

    with pytest.raises(_Over):
        app.services.transactions.run(work)
    found = app.services.transactions.run(lambda root: root["test.record"].search_count([("name", "=", name)]))
    assert found == 0


def test_a_batch_can_not_load_another_registry(app: Gatehouse) -> None:
    def work(root: Any) -> None:
        with batches.together(root, testing=False):
            Registry.new(root.cr.dbname)

    with pytest.raises(Rejected) as refused:
        app.services.transactions.run(work)
    assert refused.value.name == "batch_no_commit"


def test_cursors_of_other_databases_are_no_matter_of_a_batch(app: Gatehouse) -> None:
    def work(root: Any) -> str:
        with batches.together(root, testing=False), sql_db.db_connect("postgres").cursor() as cr:
            cr.execute("SELECT current_database()")
            return str(cr.fetchone()[0])

    assert app.services.transactions.run(work) == "postgres"
