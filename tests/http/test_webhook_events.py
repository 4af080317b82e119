"""What webhooks are told, and when they are told nothing any more: followed and delivered in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.web.routing import Gatehouse
from tests import stored_apis
from tests.http.webhooks import MakeTold, Root, Sql, make, remove, write


def change_api(app: Gatehouse, **keys: Any) -> None:
    """Change the definition that has webhooks."""
    (api,) = (each for each in app.services.catalog.snapshot.published if each.document.webhooks)
    stored_apis.write(app, [{**api.document.model_dump(mode="json"), **keys}])
    app.services.catalog.refresh()


def test_an_archived_record_is_removed_and_comes_back_as_created(told: MakeTold, root: Root) -> None:
    hook = told()
    record = make(root)
    assert hook.told() == [("created", record)]
    write(root, record, active=False)
    assert hook.told() == [("removed", record)]
    write(root, record, active=True)
    assert hook.told() == [("created", record)]
    remove(root, record)
    assert hook.told() == [("removed", record)]


def test_what_is_written_before_it_was_made_or_has_gone_by_the_first_look_is_not_told(
    told: MakeTold, root: Root, settle: Callable[[], None]
) -> None:
    make(root)
    settle()
    hook = told()
    remove(root, make(root))
    assert hook.told() == []


def test_events_of_a_record_go_one_after_the_other(told: MakeTold, root: Root) -> None:
    hook = told()
    record = make(root)
    hook.follow()
    write(root, record, count=5)
    hook.follow()
    assert hook.deliver() == [("created", record), ("updated", record)]
    assert [message["data"]["record"]["count"] for message in hook.sender.messages] == [5, 5]


def test_what_is_gone_before_it_could_be_told_is_removed_alone(told: MakeTold, root: Root) -> None:
    hook = told()
    record = make(root)
    hook.follow()
    remove(root, record)
    assert hook.deliver() == []
    assert hook.told() == []  # it waits for its turn
    assert hook.statuses == ["pending", "pending"]


def test_it_waits_for_sight_until_it_is_told_that_the_record_has_gone(told: MakeTold, root: Root) -> None:
    hook = told()
    record = make(root)
    hook.follow()
    remove(root, record)
    hook.follow()
    assert hook.deliver() == [("removed", record)]
    assert hook.statuses == ["superseded", "delivered"]


@pytest.mark.parametrize("status", [500, 301, 404])
def test_what_fails_waits_and_its_webhook_counts_it(status: int, told: MakeTold, root: Root, sql: Sql) -> None:
    hook = told()
    record = make(root)
    hook.sender.status = status
    assert hook.told() == [("created", record)]
    assert hook.deliver() == []
    assert (hook.now.failures, hook.now.active, hook.statuses) == (1, True, ["pending"])
    hook.sender.status = 200
    sql("UPDATE gatehouse.delivery SET next_at = now() WHERE webhook_id = %s", hook.id)
    assert hook.deliver() == [("created", record)]
    assert (hook.now.failures, hook.statuses) == (0, ["delivered"])


def test_after_three_days_it_is_off_and_what_waits_waits_on(told: MakeTold, root: Root, sql: Sql) -> None:
    hook = told()
    make(root)
    hook.sender.status = 500
    hook.told()
    later = make(root)
    hook.follow()
    sql(
        "UPDATE gatehouse.delivery SET first_at = now() - interval '73 hours', next_at = now() "
        "WHERE webhook_id = %s AND first_at IS NOT NULL",
        hook.id,
    )
    hook.deliver()
    assert not hook.now.active
    assert "three days" in hook.now.reason
    assert hook.statuses == ["failed", "pending"]
    assert hook.told() == []
    assert later


def test_many_failures_in_a_row_leave_it_alone_for_a_time(told: MakeTold, root: Root, sql: Sql, app: Gatehouse) -> None:
    hook = told()
    for _ in range(15):
        make(root)
    hook.sender.status = 500
    assert 10 <= len(hook.told()) <= 13
    assert hook.deliver() == []
    sql("UPDATE gatehouse.webhook SET held_until = now() WHERE id = %s", hook.id)
    assert len(hook.deliver()) == 1
    app.services.webhooks.test(hook.owner, hook.id)
    assert hook.deliver() == [("test", None)]


def test_a_change_of_the_definition_asks_for_a_new_pass(
    told: MakeTold, root: Root, app: Gatehouse, settle: Callable[[], None]
) -> None:
    hook = told()
    make(root)
    hook.follow()
    change_api(app, page_size=7)
    make(root)
    settle()
    assert hook.told() == [("resync", None)]
    assert hook.statuses == ["superseded", "delivered"]
    record = make(root)
    assert hook.told() == [("created", record)]


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        ("active = false", "revoked"),
        ("scopes = '{read}'", "scope search"),
        ("uid = NULL", "acts as no user"),
        ({"published": False}, "not served"),
        ({"webhooks": False}, "no webhooks"),
        ({"clients": []}, "not connected"),
    ],
    ids=lambda value: str(value),
)
def test_it_ends_with_the_right_to_be_told_and_with_its_api(
    ends: str | dict[str, Any], reason: str, told: MakeTold, root: Root, sql: Sql, app: Gatehouse
) -> None:
    hook = told()
    make(root)
    hook.follow()
    if isinstance(ends, str):
        sql(f"UPDATE gatehouse.client SET {ends} WHERE name = 'Reader 0'")
    else:
        change_api(app, **ends)
    assert hook.deliver() == []
    assert not hook.now.active
    assert reason in hook.now.reason
    assert hook.statuses == ["pending"]


def test_a_client_app_with_another_user_is_told_anew_as_that_one(told: MakeTold, root: Root, sql: Sql) -> None:
    hook = told()
    ((uid,),) = sql("SELECT id FROM res_users WHERE login = 'demo'")
    sql("UPDATE gatehouse.client SET uid = %s WHERE name = 'Reader 0'", uid)
    assert hook.told() == [("resync", None)]
    assert hook.now.active


def test_a_secret_that_cant_be_read_switches_it_off(told: MakeTold, root: Root, sql: Sql) -> None:
    hook = told()
    make(root)
    sql("UPDATE gatehouse.webhook SET secret = 'AAAA' WHERE id = %s", hook.id)
    assert hook.told() == []
    assert "secret" in hook.now.reason


def test_no_more_than_some_wait_at_a_time(told: MakeTold, root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.webhooks.following._MOST_WAITING", 3)
    hook = told()
    for _ in range(3):
        make(root)
    hook.follow()
    last = make(root)
    hook.follow()
    assert hook.statuses == ["pending"] * 3
    hook.deliver()
    assert hook.told() == [("created", last)]
