"""Webhooks: live servers, the process that delivers, and receivers that check what they get."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from standardwebhooks import WebhookVerificationError

from app.webhooks.store import BY_HAND
from dev.testbed import Testbed
from tests.server.conftest import ROOT, Server, running, wait_until, wait_until_settled
from tests.server.receivers import Receiver, receiving
from tests.server.workers import serving_apis

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

_APIS = """
apis:
- name: Told
  route: /api/told
  published: true
  id_obfuscation: false
  webhooks: true
  clients: [Shop]
  endpoints: {delta: true}
  models: [{model: test.record, fields: [name, count]}]
clients:
- name: Shop
  user: admin
  scopes: [create, read, update, delete, search]
"""
#: Seconds after which a test fails.
_PATIENCE = 60
_TOKEN = "an ops person's token"
#: The process that delivers.
COMMAND = (sys.executable, "-m", "flask", "--app", "app.factory:create_app()", "webhook", "run")
#: The same as `flask` finds the app in production: with the settings of a file.
_FROM_FILE = (sys.executable, "-m", "flask", "webhook", "run")


class Shop:
    """The client app, with a token."""

    def __init__(
        self, server: Server, credentials: dict[str, str], scope: str = "create read update delete search"
    ) -> None:
        self._url = server.url
        form = {"client_id": credentials["client_id"], "client_secret": credentials["client_secret"]}
        answer = requests.post(f"{server.url}/api/oauth2/token", data={**form, "scope": scope}, timeout=30)
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        """Return the result of a call; fails the test where it has another status than this one, or than any good."""
        answer = self.session.request(method, f"{self._url}{path}", json=body, timeout=30)
        assert answer.status_code == status if status else answer.ok, answer.text
        document = answer.json()
        return document["result"] if "result" in document else document["error"]["data"]

    def subscribe(self, receiver: Receiver, **keys: Any) -> dict[str, Any]:
        """Make a webhook once its tables are captured."""
        found: list[dict[str, Any]] = []

        def is_made() -> bool:
            body = {"url": receiver.url, "api": "Told", **keys}
            answer = self.session.post(f"{self._url}/api/webhooks", json=body, timeout=30)
            if answer.status_code in (429, 503):
                return False
            assert answer.status_code == 201, answer.text
            found.append(answer.json()["result"])
            return True

        wait_until(is_made, _PATIENCE)
        return found[0]

    def deliveries(self, webhook: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the deliveries of a webhook, the newest first."""
        found: list[dict[str, Any]] = self.call("GET", f"/api/webhooks/{webhook['id']}/deliveries")["deliveries"]
        return found


@pytest.fixture(scope="module")
def server(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an API whose changes may be sent to this machine."""
    folder = tmp_path_factory.mktemp("webhooks")
    settings = {"GATEHOUSE_WEBHOOK_NETWORKS": "127.0.0.0/8", "GATEHOUSE_METRICS_TOKEN": _TOKEN}
    with serving_apis(testbed, "webhooks", folder, _APIS, "/api/told", **settings) as server:
        yield server


@pytest.fixture(scope="module")
def delivering(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The process that delivers."""
    with delivery(server, tmp_path_factory.mktemp("delivering") / "log"):
        yield


@contextlib.contextmanager
def delivery(server: Server, log: Path) -> Iterator[Any]:
    """Run a process that delivers."""
    with running(COMMAND, log, ROOT, server.environment) as process:
        yield process


@pytest.fixture(scope="module")
def shop(server: Server) -> Shop:
    return Shop(server, json.loads(server.flask("client", "rotate", "Shop", "--json").stdout))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.mark.usefixtures("delivering")
def test_it_is_told_what_is_created_updated_and_removed(shop: Shop, receiver: Receiver) -> None:
    webhook = shop.subscribe(receiver)
    made = shop.call("POST", "/api/told", {"name": "one", "count": 1})
    wait_until(lambda: receiver.told() == [("created", made["id"])], _PATIENCE)
    shop.call("PATCH", f"/api/told/{made['id']}", {"count": 2})
    wait_until(lambda: len(receiver.told()) == 2, _PATIENCE)
    shop.call("DELETE", f"/api/told/{made['id']}")
    wait_until(lambda: len(receiver.told()) == 3, _PATIENCE)
    assert receiver.told() == [("created", made["id"]), ("updated", made["id"]), ("removed", made["id"])]
    first, second, third = receiver.messages
    assert first.data == {
        "webhook": webhook["id"],
        "api": "Told",
        "model": "test.record",
        "id": made["id"],
        "record": {"id": made["id"], "name": "one", "count": 1},
    }
    assert second.data["record"]["count"] == 2
    assert "record" not in third.data
    for message in receiver.messages:
        message.verify(webhook["secret"])
    shop.call("DELETE", f"/api/webhooks/{webhook['id']}")


@pytest.fixture
def subscribed(shop: Shop, receiver: Receiver, delivering: None) -> Iterator[Callable[..., dict[str, Any]]]:
    """Make webhooks that lead to the receiver, and delete them behind the test."""
    made: list[dict[str, Any]] = []

    def run(**keys: Any) -> dict[str, Any]:
        made.append(shop.subscribe(receiver, **keys))
        return made[-1]

    yield run
    for webhook in made:
        shop.call("DELETE", f"/api/webhooks/{webhook['id']}")


Subscribed = Callable[..., dict[str, Any]]


def create(shop: Shop, **values: Any) -> int:
    """Create a record and return its id."""
    identifier: int = shop.call("POST", "/api/told", {"name": "one", "count": 1, **values})["id"]
    return identifier


def test_a_record_that_enters_the_domain_is_created_and_one_that_leaves_it_removed(
    shop: Shop, receiver: Receiver, subscribed: Subscribed
) -> None:
    subscribed(domain=[["count", ">", 10]])
    record = create(shop)
    for count, told in ((20, "created"), (30, "updated"), (5, "removed")):
        shop.call("PATCH", f"/api/told/{record}", {"count": count})
        wait_until(lambda kind=told: (kind, record) in receiver.told(), _PATIENCE)  # type: ignore[misc]
    assert receiver.told() == [("created", record), ("updated", record), ("removed", record)]


def test_only_the_events_that_were_asked_for_are_told(
    shop: Shop, receiver: Receiver, subscribed: Subscribed, live_sql: Callable[..., list[Any]]
) -> None:
    record = create(shop)
    wait_until_settled(live_sql)  # else it was never there for a webhook that begins now
    subscribed(events=["removed"])
    shop.call("PATCH", f"/api/told/{record}", {"count": 2})
    create(shop)
    shop.call("DELETE", f"/api/told/{record}")
    wait_until(lambda: receiver.told(), _PATIENCE)
    assert receiver.told() == [("removed", record)]


def test_a_change_of_other_fields_is_none(shop: Shop, receiver: Receiver, subscribed: Subscribed) -> None:
    subscribed(fields=["name"])
    record = create(shop)
    wait_until(lambda: receiver.told(), _PATIENCE)
    assert receiver.messages[0].data["record"] == {"id": record, "name": "one"}
    shop.call("PATCH", f"/api/told/{record}", {"count": 7})
    shop.call("PATCH", f"/api/told/{record}", {"name": "two"})
    wait_until(lambda: len(receiver.told()) == 2, _PATIENCE)
    last = create(shop)
    wait_until(lambda: ("created", last) in receiver.told(), _PATIENCE)
    assert receiver.told() == [("created", record), ("updated", record), ("created", last)]


def test_a_thin_one_tells_ids_alone(shop: Shop, receiver: Receiver, subscribed: Subscribed) -> None:
    webhook = subscribed(thin=True)
    record = create(shop)
    wait_until(lambda: receiver.told(), _PATIENCE)
    expected = {"webhook": webhook["id"], "api": "Told", "model": "test.record", "id": record}
    assert receiver.messages[0].data == expected


def test_what_fails_is_tried_again_and_the_next_events_of_its_record_wait(
    shop: Shop, receiver: Receiver, subscribed: Subscribed
) -> None:
    webhook = subscribed()
    first, other = create(shop), 0
    failing = {first}
    receiver.answer = lambda message: 500 if message.data["id"] in failing else 200
    wait_until(lambda: receiver.told(), _PATIENCE)
    shop.call("PATCH", f"/api/told/{first}", {"count": 2})
    other = create(shop)
    wait_until(lambda: ("created", other) in receiver.told(), _PATIENCE)
    assert ("updated", first) not in receiver.told()
    failing.clear()
    wait_until(lambda: ("updated", first) in receiver.told(), _PATIENCE)
    of_first = [message for message in receiver.messages if message.data["id"] == first]
    tries = [message for message in of_first if message.kind == "created"]
    assert len(tries) > 1
    assert len({message.id for message in tries}) == 1
    assert of_first[-1].kind == "updated"
    wait_until(lambda: {each["status"] for each in shop.deliveries(webhook)} == {"delivered"}, _PATIENCE)
    assert sorted(each["attempts"] for each in shop.deliveries(webhook)) == [1, 1, len(tries)]


def test_one_whose_receiver_wants_no_more_is_off_at_once(
    shop: Shop, receiver: Receiver, subscribed: Subscribed
) -> None:
    webhook = subscribed()
    receiver.answer = lambda message: 410
    create(shop)
    path = f"/api/webhooks/{webhook['id']}"
    wait_until(lambda: not shop.call("GET", path)["active"], _PATIENCE)
    assert "410" in shop.call("GET", path)["reason"]
    receiver.answer = lambda message: 200
    missed = create(shop)
    assert shop.call("PATCH", path, {"active": True})["active"]
    wait_until(lambda: ("created", missed) in receiver.told(), _PATIENCE)


def test_a_test_and_a_redelivery_are_sent(shop: Shop, receiver: Receiver, subscribed: Subscribed) -> None:
    webhook = subscribed()
    path = f"/api/webhooks/{webhook['id']}"
    sent = shop.call("POST", f"{path}/test", status=202)
    wait_until(lambda: [message.kind for message in receiver.messages] == ["test"], _PATIENCE)
    wait_until(lambda: shop.deliveries(webhook)[0]["status"] == "delivered", _PATIENCE)
    (delivery,) = shop.deliveries(webhook)
    assert (delivery["id"], delivery["answer_status"], delivery["attempts"]) == (sent["id"], 204, 1)
    shop.call("POST", f"{path}/deliveries/{sent['id']}/redeliver", status=202)
    wait_until(lambda: len(receiver.messages) == 2, _PATIENCE)
    assert {message.id for message in receiver.messages} == {sent["id"]}


def test_after_a_rotation_both_secrets_sign_for_a_time(shop: Shop, receiver: Receiver, subscribed: Subscribed) -> None:
    webhook = subscribed()
    path = f"/api/webhooks/{webhook['id']}"
    new = shop.call("POST", f"{path}/rotate")
    shop.call("POST", f"{path}/test", status=202)
    wait_until(lambda: receiver.messages, _PATIENCE)
    for secret in (webhook["secret"], new["secret"]):
        receiver.messages[0].verify(secret)
    newest = shop.call("POST", f"{path}/rotate", {"overlap": 0})
    shop.call("POST", f"{path}/test", status=202)
    wait_until(lambda: len(receiver.messages) == 2, _PATIENCE)
    receiver.messages[1].verify(newest["secret"])
    with pytest.raises(WebhookVerificationError):
        receiver.messages[1].verify(new["secret"])


def test_a_reload_brings_new_settings_in_and_a_stop_leaves_nothing(
    server: Server, tmp_path: Path, live_sql: Callable[..., list[Any]]
) -> None:
    settings, log = tmp_path / "settings", tmp_path / "log"
    settings.write_text("GATEHOUSE_LOG_FORMAT=text\n")
    environment = {**server.environment, "GATEHOUSE_ENV_FILE": str(settings)}
    before = live_sql("SELECT count(*) FROM gatehouse_jobs.procrastinate_workers")
    with running(_FROM_FILE, log, ROOT, environment) as process:
        wait_until(lambda: "Webhooks are followed and delivered" in log.read_text(), _PATIENCE, log.read_text)
        settings.write_text("GATEHOUSE_LOG_FORMAT=json\n")
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGHUP)  # one that comes on the way to the successor is not its end
        new = '"message": "Webhooks are followed and delivered"'
        wait_until(lambda: new in log.read_text() or process.poll(), _PATIENCE, log.read_text)
        wait_until(lambda: live_sql("SELECT count(*) FROM gatehouse_jobs.procrastinate_workers") > before, _PATIENCE)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
    assert live_sql("SELECT count(*) FROM gatehouse_jobs.procrastinate_workers") == before


def _figures(server: Server) -> dict[str, float]:
    """Return what /metrics says of webhooks, by the name of each, or by its state."""
    answer = requests.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {_TOKEN}"}, timeout=10)
    samples = [each for family in text_string_to_metric_families(answer.text) for each in family.samples]
    found = {each.labels.get("state", each.name): each.value for each in samples if "_webhook" in each.name}
    return {name.removeprefix("gatehouse_webhook_"): value for name, value in found.items()}


@pytest.mark.usefixtures("delivering")
def test_metrics_tell_how_webhooks_do(
    server: Server, shop: Shop, receiver: Receiver, subscribed: Subscribed, live_sql: Callable[..., list[Any]]
) -> None:
    webhook = subscribed()
    path = f"/api/webhooks/{webhook['id']}"
    before = _figures(server)
    assert (before["on"], before["failing"], before["events_waiting"]) == (1, 0, 0)
    wait_until(lambda: _figures(server)["processes"] == 1, _PATIENCE)
    receiver.answer = lambda message: 500
    create(shop)
    wait_until(lambda: _figures(server)["failing"] == 1, _PATIENCE)
    failing = _figures(server)
    assert (failing["on"], failing["events_waiting"]) == (0, 1)
    assert shop.call("PATCH", path, {"active": False})["reason"] == BY_HAND
    off = _figures(server)
    assert (off["failing"], off["off"], off["off_by_hand"], off["events_waiting"]) == (0, 0, 1, 0)
    receiver.answer = lambda message: 410
    shop.call("PATCH", path, {"active": True})
    wait_until(lambda: _figures(server)["off"] == 1, _PATIENCE)
