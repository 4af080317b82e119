"""Webhooks of tests: client apps that make them, and what they are told, followed and delivered in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from app.database import KeptConnection
from app.web.routing import Gatehouse
from app.webhooks import deliveries, store
from app.webhooks.delivering import Deliverer
from app.webhooks.document import WebhookChange, WebhookDocument
from app.webhooks.following import Followed, Follower
from app.webhooks.sending import Answer
from app.webhooks.store import Webhook
from app.webhooks.subscriptions import Owner

if TYPE_CHECKING:
    from tests.http.conftest import Client

URL = "https://8.8.8.8/hook"
Sql = Callable[..., list[tuple[Any, ...]]]
Root = Callable[..., Any]


class Shop:
    """A client app, with a token and the name of an API."""

    def __init__(self, anyone: Client, token: str, api: str) -> None:
        self._anyone, self.api = anyone, api
        self._headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str = "", body: Any = None) -> Any:
        """Return the result of a call that has to succeed."""
        answer = self._anyone(method, f"/api/webhooks{path}", json=body, headers=self._headers)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json["result"]

    def make(self, **keys: Any) -> Any:
        """Make a webhook."""
        return self("POST", body={"url": URL, "api": self.api, **keys})

    def refused(self, method: str, path: str = "", body: Any = None) -> tuple[int, str, str | None]:
        """Return status, name and parameter of the error of a call that has to fail."""
        answer = self._anyone(method, f"/api/webhooks{path}", json=body, headers=self._headers)
        data = answer.json["error"]["data"]
        return answer.status_code, data["name"], data.get("parameter")

    def not_made(self, **keys: Any) -> tuple[int, str, str | None]:
        """Return the same of a webhook that is not made."""
        return self.refused("POST", body={"url": URL, "api": self.api, **keys})


MakeShops = Callable[..., list[Shop]]


@pytest.fixture
def make_shops(
    app: Gatehouse, anyone: Client, make_token: Callable[..., str], followed: Callable[..., str]
) -> MakeShops:
    """Make client apps, Reader 0 and so on, and an API with webhooks for all or for those that are named."""

    def run(*scopes: tuple[str, ...], clients: list[str] | None = None, **keys: Any) -> list[Shop]:
        tokens = [make_token(*each) for each in scopes or [("read", "search")]]
        clients = [f"Reader {number}" for number in range(len(tokens))] if clients is None else clients
        route = followed(**{"fields": ["name", "count"], "webhooks": True, "endpoints": {}, "clients": clients, **keys})
        (name,) = (each.name for each in app.services.catalog.snapshot.published if each.document.route == route)
        return [Shop(anyone, token, name) for token in tokens]

    return run


@pytest.fixture
def shop(make_shops: MakeShops) -> Shop:
    """The client app Reader 0."""
    return make_shops()[0]


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
        self.id, self.services, self._settle = webhook.id, services, settle
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

    def change(self, **keys: Any) -> Webhook:
        """Change it, as its client app does."""
        return self.services.webhooks.change(self.owner, self.id, WebhookChange.model_validate(keys))

    def run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do something in a transaction of our own tables."""
        with self.services.database.transaction() as cr:
            return work(cr, *arguments)

    @property
    def now(self) -> Webhook:
        """The webhook as it is stored."""
        found: Webhook | None = self.run(store.one, self.id)
        assert found is not None
        return found

    @property
    def owner(self) -> Owner:
        """Its client app, as a test acts for it."""
        return Owner(self.now.client_id, self.now.client, "a test")

    @property
    def statuses(self) -> list[str]:
        """The statuses of its deliveries, the oldest first."""
        return [each.status for each in self.run(lambda cr: deliveries.of(cr, self.id, limit=100))][::-1]

    def close(self) -> None:
        self._connection.close()


MakeTold = Callable[..., Told]


@pytest.fixture
def told(
    app: Gatehouse, followed: Callable[..., str], make_token: Callable[..., str], sql: Sql, settle: Callable[[], None]
) -> Iterator[MakeTold]:
    """Make a webhook of a client app on ``test.record``."""
    made: list[Told] = []

    def run(uid: int = 2, domain: Any = (), **keys: Any) -> Told:
        make_token("read", "search", uid=uid)
        fields = ["name", "count", "active"]
        followed(fields=fields, webhooks=True, endpoints={}, clients=["Reader 0"], domain=list(domain))
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
