"""What webhooks are told, and when they are told nothing any more: followed and delivered in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from app.database import KeptConnection
from app.web.routing import Gatehouse
from app.webhooks import deliveries, store
from app.webhooks.delivering import Deliverer
from app.webhooks.document import WebhookDocument
from app.webhooks.following import Followed, Follower
from app.webhooks.sending import Answer
from app.webhooks.store import Webhook
from app.webhooks.subscriptions import Owner
from tests import stored_apis
from tests.http.conftest import Client

Sql = Callable[..., list[tuple[Any, ...]]]
Root = Callable[..., Any]
FIELDS = ["name", "count", "active"]


class Sending:
    """A sender whose receiver is here: it keeps what it gets, and answers with a status."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.status = 200

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *more: Any) -> Answer:
        self.messages.append(json.loads(body))
        return Answer(self.status, "", 0.01, "")


class Told:
    """A webhook, and what it has been told."""

    def __init__(self, app: Gatehouse, webhook: Webhook, settle: Callable[[], None]) -> None:
        services = app.services
        self.id, self._database, self._settle = webhook.id, services.database, settle
        self.sender = Sending()
        self._connection = KeptConnection(services.database)
        self._follower = Follower(services.database, services.acting)
        sender: Any = self.sender
        self._deliverer = Deliverer(self._connection, services.acting, services.hasher, sender)

    def follow(self) -> Followed:
        """Take note of what was committed by now."""
        self._settle()
        return self._follower.follow(self.id)

    def deliver(self) -> list[tuple[str, Any]]:
        """Send what waits, and return what that told of which records."""
        before = len(self.sender.messages)
        asyncio.run(self._deliverer.deliver(self.id))
        return [(each["type"], each["data"].get("id")) for each in self.sender.messages[before:]]

    def told(self) -> list[tuple[str, Any]]:
        self.follow()
        return self.deliver()

    @property
    def now(self) -> Webhook:
        """The webhook as it is stored."""
        with self._database.transaction() as cr:
            found = store.one(cr, self.id)
        assert found is not None
        return found

    @property
    def owner(self) -> Owner:
        """Its client app, as a test acts for it."""
        return Owner(self.now.client_id, self.now.client, "a test")

    @property
    def statuses(self) -> list[str]:
        """The statuses of its deliveries, the oldest first."""
        with self._database.transaction() as cr:
            return [each.status for each in deliveries.of(cr, self.id, limit=100)][::-1]

    def close(self) -> None:
        self._connection.close()


MakeTold = Callable[..., Told]


@pytest.fixture
def told(
    app: Gatehouse, followed: Callable[..., str], make_token: Callable[..., str], sql: Sql, settle: Callable[[], None]
) -> Any:
    """Make a webhook of a client app on ``test.record``."""
    made: list[Told] = []

    def run(uid: int = 2, domain: Any = (), **keys: Any) -> Told:
        make_token("read", "search", uid=uid)
        followed(fields=FIELDS, webhooks=True, endpoints={}, clients=["Reader 0"], domain=list(domain))
        (api,) = (each for each in app.services.catalog.snapshot.published if each.document.webhooks)
        ((client,),) = sql("SELECT id FROM gatehouse.client WHERE name = 'Reader 0'")
        document = WebhookDocument.model_validate({"url": "https://8.8.8.8/", "api": api.name, **keys})
        webhook, _ = app.services.webhooks.create(Owner(client, "Reader 0", "a test"), document)
        made.append(Told(app, webhook, settle))
        return made[-1]

    yield run
    for each in made:
        each.close()


def make(root: Root, **values: Any) -> int:
    identifier: int = root(lambda env: env["test.record"].create({"name": "one", **values}).id)
    return identifier


def write(root: Root, record: int, **values: Any) -> None:
    root(lambda env: env["test.record"].browse(record).write(values))


def remove(root: Root, record: int) -> None:
    root(lambda env: env["test.record"].browse(record).unlink())


def test_what_is_written_before_it_was_made_is_not_told(told: MakeTold, root: Root, settle: Callable[[], None]) -> None:
    make(root)
    settle()
    hook = told()
    assert hook.told() == []


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


def test_a_record_that_comes_and_goes_between_two_looks_is_not_told_of(told: MakeTold, root: Root) -> None:
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


def test_it_waits_for_sight_until_it_is_told_that_the_record_has_gone(told: MakeTold, root: Root, sql: Sql) -> None:
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
    app.services.webhooks.test(Owner(hook.now.client_id, "Reader 0", "a test"), hook.id)
    assert hook.deliver() == [("test", None)]


def test_a_change_of_the_definition_asks_for_a_new_pass(
    told: MakeTold, root: Root, app: Gatehouse, settle: Callable[[], None]
) -> None:
    hook = told()
    make(root)
    hook.follow()
    (api,) = (each for each in app.services.catalog.snapshot.published if each.document.webhooks)
    stored_apis.write(app, [{**api.document.model_dump(mode="json"), "page_size": 7}])
    app.services.catalog.refresh()
    make(root)
    settle()
    assert hook.told() == [("resync", None)]
    assert hook.statuses == ["superseded", "delivered"]
    record = make(root)
    assert hook.told() == [("created", record)]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE gatehouse.client SET active = false WHERE name = 'Reader 0'", "revoked"),
        ("UPDATE gatehouse.client SET scopes = '{read}' WHERE name = 'Reader 0'", "scope search"),
        ("UPDATE gatehouse.client SET uid = NULL WHERE name = 'Reader 0'", "acts as no user"),
    ],
)
def test_it_ends_with_the_right_to_be_told(statement: str, reason: str, told: MakeTold, root: Root, sql: Sql) -> None:
    hook = told()
    make(root)
    hook.follow()
    sql(statement)
    assert hook.deliver() == []
    assert not hook.now.active
    assert reason in hook.now.reason
    assert hook.statuses == ["pending"]


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"published": False}, "not served"),
        ({"webhooks": False}, "no webhooks"),
        ({"clients": []}, "not connected"),
    ],
)
def test_it_ends_with_its_api(keys: dict[str, Any], reason: str, told: MakeTold, root: Root, app: Gatehouse) -> None:
    hook = told()
    make(root)
    hook.follow()
    (api,) = (each for each in app.services.catalog.snapshot.published if each.document.webhooks)
    stored_apis.write(app, [{**api.document.model_dump(mode="json"), **keys}])
    app.services.catalog.refresh()
    assert hook.deliver() == []
    assert not hook.now.active
    assert reason in hook.now.reason


def test_a_client_app_with_another_user_is_told_anew_as_that_one(
    told: MakeTold, root: Root, sql: Sql, admin: Client
) -> None:
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
