"""From compiled definitions to a collection: a folder per API, a request per endpoint, in an order that can be run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.definitions.definition import Definition, Endpoint, Exposure
from app.json import dumps
from app.openapi import examples
from app.operations.endpoints import endpoints
from app.postman.scripts import BEFORE_EACH, answer_test, event, set_unless_known

_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

#: The order in which the requests of one model make sense one after another: what is created is read, changed, deleted.
_ORDER = (
    "rest.search",
    "rest.create",
    "rest.read",
    "rest.update",
    "rest.read_many",
    "rest.update_many",
    "rest.delete_many",
    "rest.delete",
    "rpc.call_model",
    "rpc.call_record",
    "rpc.call_many",
    "session.authenticate_with_key",
)


def build(name: str, definitions: Iterable[Definition], known_ids: Mapping[tuple[int, str], Any], database: str) -> Any:
    """Return the collection of published APIs as plain data.

    ``known_ids`` holds, for an API's id and a model, the public id of a record to try with, where there is one.
    """
    folders = [_folder(definition, known_ids, database) for definition in definitions]
    return {
        "info": {
            "name": name,
            "schema": _SCHEMA,
            "description": "Set base_url, and one of: login and password (run Log in first), api_key, or client_id "
            "and client_secret. The requests of each folder can be run from top to bottom.",
        },
        "variable": [
            {"key": key, "value": value}
            for key, value in (
                ("base_url", "http://127.0.0.1:8070"),
                ("database", database),
                ("login", ""),
                ("password", ""),
                ("api_key", ""),
                ("client_id", ""),
                ("client_secret", ""),
            )
        ],
        "event": [event("prerequest", BEFORE_EACH)],
        "item": [_session_folder(), *folders],
    }


def _session_folder() -> dict[str, Any]:
    body = {"db": "{{database}}", "login": "{{login}}", "password": "{{password}}"}
    test = answer_test([200, 400, 429], keys='["result", "error"]')
    return {
        "name": "Session",
        "item": [_request("Log in", "POST", "/web/session/authenticate", test, body=body)],
    }


def _folder(definition: Definition, known_ids: Mapping[tuple[int, str], Any], database: str) -> dict[str, Any]:
    served = sorted(endpoints(definition), key=lambda endpoint: _ORDER.index(endpoint.view))
    models: dict[str, list[Endpoint]] = {}
    for endpoint in served:
        models.setdefault(endpoint.exposure.name if endpoint.exposure else "", []).append(endpoint)
    groups = []
    for model, of_model in models.items():
        requests = _Requests(definition, of_model, known_ids.get((definition.id, model)))
        groups.append((model, requests.items()))
    document = definition.document
    description = f"{document.type}, {document.mode}, authentication: {document.authentication}"
    items = groups[0][1] if len(groups) == 1 else [{"name": model, "item": items} for model, items in groups]
    return {"name": definition.name, "description": description, "item": items}


class _Requests:
    """The requests of one model of an API."""

    def __init__(self, definition: Definition, served: list[Endpoint], known_id: Any) -> None:
        self.definition = definition
        self.served = served
        self.views = {endpoint.view for endpoint in served}
        model = served[0].exposure.name if served[0].exposure else ""
        #: A collection variable of its own for each model, so that folders don't get in each other's way.
        self.one = f"id_{definition.id}_{model.replace('.', '_')}" if model else ""
        #: Where there is no record yet to try with, an example that is not found will do.
        self.missing = known_id is None
        self.known_id = examples.record_id(definition, model) if self.missing and model else known_id

    def items(self) -> list[dict[str, Any]]:
        """Return the requests, in an order that can be run."""
        found = []
        for endpoint in self.served:
            builder = getattr(self, endpoint.view.replace(".", "_"))
            found += builder(endpoint, endpoint.path.replace("<public_id>", f"{{{{{self.one}}}}}"))
        return found

    def rest_search(self, endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
        keep = self._remember("answer.result.records[0]?.id")
        query = {"domain": "[]", "limit": "5", "offset": "0", "order": "id", "count": "exact"}
        return [_request("Search", "GET", path, answer_test([200], then=keep), query=query)]

    def rest_create(self, endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
        body = self._body(endpoint, creating=True)
        requests = [
            _request("Create", "POST", path, answer_test([200], then=self._remember("answer.result.id")), body=body)
        ]
        if self.definition.document.bulk:
            keep = (
                f'pm.collectionVariables.set("{self.one}_a", answer.result[0].id);\n'
                f'pm.collectionVariables.set("{self.one}_b", answer.result[1].id);'
            )
            requests.append(_request("Create many", "POST", path, answer_test([200], then=keep), body=[body, body]))
        return requests

    def rest_read(self, endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
        return [_request("Read", "GET", path, self._test(), ids=self._ids())]

    def rest_update(self, endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
        return [_request("Update", "PATCH", path, self._test(), body=self._body(endpoint), ids=self._ids())]

    def rest_delete(self, endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
        return [_request("Delete", "DELETE", path, self._test(), ids=self._ids())]

    def rest_read_many(self, endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
        query = {"ids": ",".join(self._several())}
        return [_request("Read many", "GET", path, self._test(), query=query, ids=self._ids())]

    def rest_update_many(self, endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
        body = self._body(endpoint)
        own = [{"id": public_id, **body} for public_id in self._several()]
        common = {"ids": self._several(), **body}
        return [
            _request("Update many, own values", "PATCH", path, self._test(), body=own, ids=self._ids()),
            _request("Update many, common values", "PATCH", path, self._test(), body=common, ids=self._ids()),
        ]

    def rest_delete_many(self, endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
        body = self._several() if "rest.create" in self.views else []
        return [_request("Delete many", "DELETE", path, answer_test([200]), body=body)]

    def rpc_call_model(self, endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
        # A method that is made for records refuses to be called on the model.
        return [self._call("Call on the model", endpoint, path, [200, 400, 422])]

    def rpc_call_record(self, endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
        return [self._call("Call on a record", endpoint, path, self._on_record(200, 422))]

    def rpc_call_many(self, endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
        return [
            self._call(
                "Call on several records",
                endpoint,
                path,
                self._on_record(200, 400, 422),
                {"ids": f"{{{{{self.one}}}}}"},
            )
        ]

    def session_authenticate_with_key(self, endpoint: Endpoint, path: str) -> list[dict[str, Any]]:
        body = {"db": "{{database}}", "login": "{{login}}", "password": "{{api_key}}"}
        test = answer_test([200, 400, 429], keys='["result", "error"]')
        return [_request("Log in with an API key", "POST", path, test, body=body)]

    def _test(self) -> dict[str, Any]:
        """Return the test of a call on records."""
        statuses = self._on_record(200)
        return answer_test(statuses, keys='["result"]' if statuses == [200] else '["result", "error"]')

    def _on_record(self, *statuses: int) -> list[int]:
        """Return the statuses that a call on one record may have."""
        return [*statuses, 404] if self.missing and "rest.create" not in self.views else list(statuses)

    def _call(
        self,
        name: str,
        endpoint: Endpoint,
        path: str,
        statuses: list[int],
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        method = self.definition.method
        arguments = examples.arguments(self.definition, method) if method else {}
        test = answer_test(statuses, keys='["result", "error"]')
        if endpoint.method == "GET":
            texts = {
                key: value if isinstance(value, str) else dumps(value).decode() for key, value in arguments.items()
            }
            return _request(name, "GET", path, test, query={**(query or {}), **texts}, ids=self._ids())
        return _request(name, "POST", path, test, body=arguments, query=query, ids=self._ids())

    def _body(self, endpoint: Endpoint, *, creating: bool = False) -> dict[str, Any]:
        exposure: Exposure | None = endpoint.exposure
        return examples.values(self.definition, exposure, creating=creating) if exposure else {}

    def _several(self) -> list[str]:
        """Return the records of a bulk call: those that were created for it, or the one that is known."""
        if "rest.create" in self.views and self.definition.document.bulk:
            return [f"{{{{{self.one}_a}}}}", f"{{{{{self.one}_b}}}}"]
        return [f"{{{{{self.one}}}}}"]

    def _remember(self, expression: str) -> str:
        return f'const found = {expression};\nif (found) {{ pm.collectionVariables.set("{self.one}", found); }}'

    def _ids(self) -> dict[str, Any]:
        """Return the variable that holds a record's id before anything was created or found."""
        return {self.one: self.known_id} if self.one else {}


def _request(
    name: str,
    method: str,
    path: str,
    test: dict[str, Any],
    *,
    body: Any = None,
    query: Mapping[str, str] | None = None,
    ids: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return one request. ``ids`` are variables that it needs: they are set where no request before it did."""
    parameters = [{"key": key, "value": value} for key, value in (query or {}).items()]
    raw = "{{base_url}}" + path
    if parameters:
        raw += "?" + "&".join(f"{parameter['key']}={parameter['value']}" for parameter in parameters)
    request: dict[str, Any] = {
        "method": method,
        "header": [{"key": "Accept", "value": "application/json"}],
        "url": {"raw": raw, "host": ["{{base_url}}"], "path": path.strip("/").split("/"), "query": parameters},
    }
    if body is not None:
        request["header"].append({"key": "Content-Type", "value": "application/json"})
        request["body"] = {
            "mode": "raw",
            "raw": dumps(body).decode(),
            "options": {"raw": {"language": "json"}},
        }
    events = [test]
    missing = {key: value for key, value in (ids or {}).items() if value is not None}
    if missing:
        lines = "\n".join(set_unless_known(key, value) for key, value in missing.items())
        events.append(event("prerequest", lines))
    return {"name": name, "request": request, "event": events, "response": []}
