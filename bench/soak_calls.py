"""The calls of the soak: each is made as a client makes it, and its answer is checked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from random import Random
from typing import Any

import requests

from tests.server.conftest import Server

Call = Callable[[Random], None]


class Unexpected(Exception):
    """An answer is not the one that the call has to get."""


class Calls:
    """Calls that a client may make; ``all`` are pairs of a name and a call, the frequent ones several times."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._route = f"{server.url}/api/partner/rest"
        self._cookies = server.session().cookies
        self._local = threading.local()
        arguments = ["client", "create", "Soak", "--api", "Partners", "--user", "admin", "--json"]
        arguments += [part for scope in ("read", "search", "create") for part in ("--scope", scope)]
        self._client = json.loads(server.flask(*arguments).stdout)
        frequent: list[tuple[str, Call]] = [
            ("search", self.search),
            ("read", self.read),
            ("create, change, delete", self.write),
        ]
        rare: list[tuple[str, Call]] = [
            ("bulk of fifty", self.bulk),
            ("image", self.image),
            ("method", self.method),
            ("token, and a call with it", self.token),
            ("log in", self.log_in),
            ("OpenAPI", self.openapi),
            ("unknown field (400)", self.unknown_field),
            ("nobody (401)", self.nobody),
            ("no such record (404)", self.no_record),
            ("refused by Odoo (400 or 200)", self.refused),
        ]
        self.all: list[tuple[str, Call]] = frequent * 6 + rare

    def _call(self, method: str, url: str, expected: int = 200, **options: Any) -> requests.Response:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        answer: requests.Response = self._local.session.request(method, url, timeout=60, **options)
        if answer.status_code != expected:
            raise Unexpected(f"{method} {url}: {answer.status_code} {answer.text[:300]}")
        return answer

    def _result(self, method: str, url: str, **options: Any) -> Any:
        answer = self._call(method, url, cookies=self._cookies, **options)
        if "result" not in answer.json():
            raise Unexpected(f"{method} {url}: {answer.text[:300]}")
        return answer.json()["result"]

    def search(self, choice: Random) -> None:
        """A page of partners."""
        limit = choice.randint(1, 30)
        found = self._result("GET", f"{self._route}?limit={limit}&order=name", data='domain=[("id", ">", 0)]')
        if len(found["records"]) != limit:
            raise Unexpected(f"{len(found['records'])} records instead of {limit}")

    def read(self, choice: Random) -> None:
        """One record, whole."""
        record = choice.choice(self._result("GET", f"{self._route}?limit=20&order=id&fields=name")["records"])
        if self._result("GET", f"{self._route}/{record['id']}")["name"] != record["name"]:
            raise Unexpected("The record read is another one.")

    def write(self, choice: Random) -> None:
        """A record's whole life."""
        name = f"soak {choice.random()}"
        record = self._result("POST", self._route, json={"name": name})
        changed = self._result("PATCH", f"{self._route}/{record['id']}", json={"phone": "1"})
        if (changed["name"], changed["phone"]) != (name, "1"):
            raise Unexpected(f"Changed: {changed}")
        self._result("DELETE", f"{self._route}/{record['id']}")

    def bulk(self, choice: Random) -> None:
        """Fifty records at once, and away with them."""
        records = self._result("POST", self._route, json=[{"name": f"soak bulk {n}"} for n in range(50)])
        deleted = self._result("DELETE", self._route, json=[record["id"] for record in records])
        if len(deleted) != 50:
            raise Unexpected(f"{len(deleted)} records deleted")

    def image(self, choice: Random) -> None:
        """A picture by its address."""
        found = self._result("GET", f"{self._route}?limit=5&order=id&fields=image_128")["records"]
        answer = self._call("GET", self._server.url + found[0]["image_128"], cookies=self._cookies)
        if not answer.headers["Content-Type"].startswith("image/"):
            raise Unexpected(answer.headers["Content-Type"])

    def method(self, choice: Random) -> None:
        """A method of a model, as the public."""
        answer = self._call("POST", f"{self._server.url}/api/company/rpc/1", json={"is_uppercase": True})
        if "YOURCOMPANY" not in answer.text:
            raise Unexpected(answer.text[:300])

    def token(self, choice: Random) -> None:
        """A client app fetches a token and uses it."""
        form = {"client_id": self._client["client_id"], "client_secret": self._client["client_secret"]}
        token = self._call("POST", f"{self._server.url}/api/oauth2/token", data=form).json()["access_token"]
        self._call("GET", f"{self._route}?limit=1", headers={"Authorization": f"Bearer {token}"})

    def log_in(self, choice: Random) -> None:
        """A person logs in, and out."""
        params = {"db": self._server.database, "login": "demo", "password": "demo"}
        session = requests.Session()
        envelope: dict[str, Any] = {"jsonrpc": "2.0", "params": params}
        answer = session.post(f"{self._server.url}/web/session/authenticate", json=envelope, timeout=60)
        if "result" not in answer.json():
            raise Unexpected(answer.text[:300])
        session.post(f"{self._server.url}/web/session/destroy", json={}, timeout=60)
        session.close()

    def openapi(self, choice: Random) -> None:
        """The description for machines."""
        self._call("GET", f"{self._server.url}/api/openapi.json", cookies=self._cookies)

    def unknown_field(self, choice: Random) -> None:
        """An error on purpose: a field that is not exposed."""
        self._call("GET", f"{self._route}?fields=vat", 400, cookies=self._cookies)

    def nobody(self, choice: Random) -> None:
        """An error on purpose: no credentials."""
        session = requests.Session()
        answer = session.get(self._route, timeout=60)
        session.close()
        if answer.status_code != 401:
            raise Unexpected(f"{answer.status_code} for nobody")

    def no_record(self, choice: Random) -> None:
        """An error on purpose: an id that nothing has."""
        self._call("GET", f"{self._route}/zzzzz", 404, cookies=self._cookies)

    def refused(self, choice: Random) -> None:
        """An error on purpose: Odoo wants a name."""
        answer = self._call("POST", self._route, cookies=self._cookies, json={"name": None})
        if "error" not in answer.json():
            raise Unexpected(answer.text[:300])
