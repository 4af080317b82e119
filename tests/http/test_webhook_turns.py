"""Turns of webhooks: what one run has begun no other does, and no record stands in the way of another one."""

from __future__ import annotations

from typing import Any

import pytest

from app.operations.single import RecordOperations
from app.webhooks import deliveries, store
from app.webhooks.following import Followed
from odoo_bridge import errors
from tests.http.webhooks import MakeTold, Root, Sql, make, remove, write


def test_an_attempt_that_one_run_has_begun_is_left_alone_by_the_next(told: MakeTold, root: Root, sql: Sql) -> None:
    hook = told()
    make(root)
    other = make(root)
    hook.follow()

    run = hook.run
    run(deliveries.begin, hook.id, "one")
    first, second = run(deliveries.due, hook.id, "one", 10)
    assert run(deliveries.claim, first, "one")
    run(deliveries.begin, hook.id, "two")
    assert not run(deliveries.claim, second, "one")
    assert [each.record_id for each in run(deliveries.due, hook.id, "two", 10)] == [other]
    assert not run(deliveries.claim, first, "two")
    # The first may be dead: after the time that a request takes it is anybody's.
    sql("UPDATE gatehouse.delivery SET next_at = next_at - interval '20 seconds' WHERE seq = %s", first.seq)
    assert run(deliveries.claim, first, "two")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("a defect of an addon"),
        errors.Forbidden("a computed field reads what the user may not"),
        errors.Rejected("an addon says no"),
        errors.InvalidValue("an image that is none"),
        errors.Missing("gone meanwhile"),
    ],
)
def test_a_record_that_cant_be_read_keeps_no_other_from_being_told_of(
    error: Exception, told: MakeTold, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = told()
    records = [make(root) for _ in range(20)]
    hook.follow()
    to_json = RecordOperations.to_json

    def broken(do: RecordOperations, table: Any, node: Any) -> Any:
        if records[7] in table.ids:
            raise error
        return to_json(do, table, node)

    monkeypatch.setattr(RecordOperations, "to_json", broken)
    others = {record for record in records if record != records[7]}
    assert {record for _, record in hook.deliver()} == others
    assert len(hook.sender.messages) == 19
    assert hook.statuses.count("pending") == 1
    assert hook.deliver() == []
    assert hook.now.active


def test_nothing_is_sent_that_was_read_long_ago(told: MakeTold, root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.webhooks.delivering._STALE", -1.0)
    monkeypatch.setattr("app.webhooks.delivering._RUN", 0.5)
    hook = told()
    record = make(root)
    assert hook.told() == []
    assert hook.now.failures == 0
    monkeypatch.setattr("app.webhooks.delivering._STALE", 60.0)
    assert hook.deliver() == [("created", record)]


def test_what_cant_be_seen_keeps_no_event_from_being_found(
    told: MakeTold, root: Root, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.webhooks.following._MOST_WAITING", 2)
    hook = told()
    records = [make(root), make(root)]
    hook.follow()
    for record in records:
        remove(root, record)
    assert hook.deliver() == []
    hook.follow()
    assert hook.statuses == ["pending"] * 4
    sql("UPDATE gatehouse.delivery SET next_at = now() WHERE webhook_id = %s", hook.id)
    assert sorted(hook.deliver()) == [("removed", record) for record in records]


def test_what_has_many_changes_is_followed_a_while_at_a_time(
    told: MakeTold, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.webhooks.following._TURN", -1.0)
    monkeypatch.setattr("app.webhooks.following._PAGE", 1)
    hook = told()
    make(root)
    make(root)
    assert hook.follow() == Followed(added=1, more=True)
    assert hook.follow().added == 1


def test_events_that_were_asked_for_meanwhile_are_not_passed_over(told: MakeTold) -> None:
    hook = told(events=["created"])
    before = hook.now
    hook.change(events=["removed"])
    assert not hook.run(store.go_on, before, "further", (), ())


def test_what_waits_of_another_subject_is_not_sent(told: MakeTold, root: Root) -> None:
    hook = told()
    make(root)
    hook.follow()
    hook.change(fields=["name"])
    assert hook.deliver() == [("resync", None)]
    assert hook.statuses == ["superseded", "delivered"]


def test_one_call_mends_and_switches_on(told: MakeTold, sql: Sql) -> None:
    hook = told()
    sql("UPDATE gatehouse.webhook SET fields = '{nonsense}' WHERE id = %s", hook.id)
    assert hook.told() == []
    assert not hook.now.active
    assert hook.change(fields=["name"], active=True).active


def test_what_is_hidden_is_not_waited_for_where_nobody_wants_to_hear_that_it_has_gone(
    told: MakeTold, root: Root
) -> None:
    hook = told(events=["created", "updated"])
    records = [make(root), make(root)]
    hook.follow()
    remove(root, records[0])
    write(root, records[1], active=False)
    hook.follow()
    assert hook.deliver() == []
    assert hook.statuses == ["superseded", "superseded"]


def test_what_is_hidden_is_not_waited_for_where_all_is_read_anew(told: MakeTold, root: Root, sql: Sql) -> None:
    hook = told()
    record = make(root)
    hook.follow()
    sql("UPDATE gatehouse.webhook SET token = 'x' WHERE id = %s", hook.id)
    hook.follow()
    remove(root, record)
    assert hook.deliver() == [("resync", None)]
    assert hook.statuses == ["superseded", "delivered"]


def test_what_has_come_back_is_there_after_it_is_told_again_that_it_has_gone(told: MakeTold, root: Root) -> None:
    hook = told()
    record = make(root)
    hook.told()
    write(root, record, active=False)
    hook.told()
    write(root, record, active=True)
    hook.told()
    sent = hook.run(lambda cr: deliveries.of(cr, hook.id, limit=9))
    (gone,) = (each for each in sent if each.event == "removed")
    hook.run(deliveries.again, gone)
    assert hook.deliver() == [("removed", record), ("created", record)]
