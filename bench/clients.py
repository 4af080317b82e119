"""Clients of each server: with the credentials that it wants, in its own form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bench.request import NUMBER, VALUE, Request


@dataclass(frozen=True, slots=True)
class Gatehouse:
    """Calls of Gatehouse with a client app's token."""

    token: str

    def get(self, path: str, *, headers: Mapping[str, str] | None = None, **parameters: Any) -> Request:
        """Return a GET with parameters."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return Request("GET", f"{path}{query}", {**self._headers, **(headers or {})})

    def send(self, method: str, path: str, body: object = None) -> Request:
        """Return a request with a JSON body."""
        headers = {**self._headers, "Content-Type": "application/json"}
        return Request(method, path, headers, None if body is None else json.dumps(body))

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Json2:
    """Calls of /json/2. It knows one kind of credentials: an API key."""

    key: str

    def call(self, model: str, method: str, ids: Sequence[object] | None = None, **arguments: object) -> Request:
        """Return a call of a method."""
        body = {**({"ids": ids} if ids else {}), **arguments}
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        return Request("POST", f"/json/2/{model}/{method}", headers, _bare(json.dumps(body)))


@dataclass(frozen=True, slots=True)
class JsonRpc:
    """Calls of /jsonrpc with id and password of a user.

    An API key in the place of the password costs the same: Odoo keeps the outcome of either check in memory.
    """

    database: str
    uid: int
    password: str

    def call(self, model: str, method: str, ids: Sequence[object] | None = None, **arguments: object) -> Request:
        """Return a call of a method; ``ids`` None is for a method of the model, which takes no records."""
        positional: list[object] = [] if ids is None else [ids]
        if method == "create":  # Odoo looks for its argument by position
            positional.append(arguments.pop("vals_list"))
        args = [self.database, self.uid, self.password, model, method, positional, arguments]
        params = {"service": "object", "method": "execute_kw", "args": args}
        body = {"jsonrpc": "2.0", "id": 1, "method": "call", "params": params}
        return Request("POST", "/jsonrpc", {"Content-Type": "application/json"}, _bare(json.dumps(body)))


@dataclass(frozen=True, slots=True)
class FastApi:
    """Calls of our endpoints for OCA's fastapi, which look at an API key as /json/2 does."""

    key: str

    def send(self, method: str, path: str, body: object = None) -> Request:
        """Return a request with a JSON body, where there is one."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        return Request(method, f"/fastapi/bench{path}", headers, None if body is None else json.dumps(body))


def result(content: bytes) -> Any:
    """Return an answer's result, without the envelope of JSON-RPC; raises KeyError where that has an error."""
    document = json.loads(content)
    return document["result"] if isinstance(document, dict) and "jsonrpc" in document else document


def _bare(text: str) -> str:
    """Let ids be numbers: their place holders stand in quotes."""
    return text.replace(f'"{VALUE}"', VALUE).replace(f'"{NUMBER}"', NUMBER)
