"""The OpenAPI document: valid, true to what the server answers, and only for those who may call."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.definitions.scopes import SCOPES
from app.observe import meters
from app.openapi.schemas import MAX_ENUM
from app.version import VERSION
from app.web.routing import Gatehouse
from app.webhooks.document import WebhookChange, WebhookDocument
from tests import stored_apis
from tests.http.conftest import Client, Publish, Root
from tests.http.queries import counted_queries

Json = dict[str, Any]

#: Every type of field of test.record.
FIELDS = [
    "name", "active", "parent_id", "child_ids", "company_id", "code", "notes", "body", "title", "count", "ratio",
    "rounded", "amount", "currency_id", "flag", "day", "moment", "state", "document", "blob", "picture",
    "thumbnail", "partner_id", "line_ids", "tag_ids", "target", "res_model", "res_id", "data", "properties",
    "per_company", "doubled", "length", "partner_email", "display_name", "create_date",
]  # fmt: skip
RELATED = {"company_id": ["name", "logo"], "line_ids": ["name", "price", {"tag_id": ["name"]}], "tag_ids": ["name"]}
OTHERS = [{"binary": "base64", "empty_values": "null", "application_errors": 422, "bulk": False}, {"mode": "test"}]


class Document:
    """A document as a caller gets it."""

    def __init__(self, caller: Client, name: str | None = None, **options: Any) -> None:
        query = {"query_string": {"api": name}} if name else {}
        answer = caller("GET", "/api/openapi.json", **query, **options)
        assert answer.status_code == 200, answer.text
        self.json: Json = answer.json

    def operations(self) -> Iterator[Json]:
        """Yield all operations, those of receivers of webhooks too."""
        for methods in (*self.json["paths"].values(), *self.json.get("webhooks", {}).values()):
            yield from methods.values()

    def paths(self) -> set[str]:
        """Return the paths of the APIs, without those of images and binaries, of batches and webhooks."""
        found = {path for path, methods in self.json["paths"].items() if not _is_own(methods)}
        others = ("/api/image/", "/api/binary/", "/api/batch", "/api/webhooks")
        return {path for path in found if not path.startswith(others)}

    def operation(self, path: str, method: str) -> Json:
        """Return one operation."""
        found: Json = self.json["paths"][path][method.lower()]
        return found

    def resolved(self, item: Json) -> Json:
        """Follow the reference of a parameter, header, response or schema."""
        if "$ref" in item:
            _, _, kind, name = item["$ref"].split("/")
            item = self.json["components"][kind][name]
        return item

    def check(self, schema: Json, value: Any) -> None:
        """Validate a value."""
        whole = {**schema, "components": self.json["components"]}  # so that references are found
        Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)

    def check_body(self, path: str, method: str, body: Any) -> None:
        """Validate a body that is to be sent."""
        content = self.operation(path, method)["requestBody"]["content"]
        self.check(content["application/json"]["schema"], body)

    def check_answer(self, path: str, method: str, answer: Any) -> None:
        """Validate what the server answers, headers too."""
        response = self.resolved(self.operation(path, method)["responses"][str(answer.status_code)])
        if answer.status_code != 304:
            self.check(response["content"]["application/json"]["schema"], answer.json)
        for name, item in response["headers"].items():
            header = self.resolved(item)
            if name in answer.headers or header["required"]:
                value = answer.headers[name]
                self.check(header["schema"], int(value) if header["schema"].get("type") == "integer" else value)


def _is_own(methods: Json) -> bool:
    return any(set(operation["tags"]) & {"Sessions", "OAuth2"} for operation in methods.values())


def check_document(document: Document) -> None:
    """Check that the document is valid, and that every example in it is."""
    OpenAPIV31SpecValidator(document.json).validate()
    ids = [operation["operationId"] for operation in document.operations()]
    assert len(ids) == len(set(ids))
    for operation in document.operations():
        items = [document.resolved(parameter) for parameter in operation.get("parameters", ())]
        for holder in (operation.get("requestBody", {}), *map(document.resolved, operation["responses"].values())):
            items += holder.get("content", {}).values()
        for item in items:
            examples = [entry["value"] for entry in item.get("examples", {}).values()]
            for example in [*examples, *([item["example"]] if "example" in item else [])]:
                document.check(item["schema"], example)
    for schema in document.json["components"]["schemas"].values():
        for example in schema.get("examples", ()):
            document.check(schema, example)


@pytest.mark.parametrize("keys", [{}, *OTHERS])
@pytest.mark.parametrize("id_obfuscation", [True, False])
def test_the_document_of_every_type_of_field_is_valid_and_so_are_its_examples(
    id_obfuscation: bool, keys: Json, demo: Client, publish: Publish
) -> None:
    publish(fields=FIELDS, related=RELATED, id_obfuscation=id_obfuscation, **keys)
    document = Document(demo)
    check_document(document)
    check_that_generators_can_use(document)


def _schemas(document: Document) -> Iterator[tuple[str, Json]]:
    """Yield every schema of a document, with the place where it stands; inside of examples there are none."""

    def walk(place: str, node: Any) -> Iterator[tuple[str, Json]]:
        if isinstance(node, list):
            for index, item in enumerate(node):
                yield from walk(f"{place}/{index}", item)
        elif isinstance(node, dict):
            if "properties" not in place.rpartition("/")[2]:
                yield place, node
            for key, item in node.items():
                if key not in ("example", "examples", "enum", "default"):
                    yield from walk(f"{place}/{key}", item)

    yield from walk("", document.json)


def check_that_generators_can_use(document: Document) -> None:
    """Check what makes generated clients break, or unpleasant to use."""
    titles: list[str] = []
    for place, schema in _schemas(document):
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        assert "array" not in kinds or "items" in schema, place
        assert kinds != ["null"], place
        assert schema.get("enum") is None or set(schema["enum"]) - {None, ""}, place
        assert len(schema.get("enum", ())) <= MAX_ENUM + 2, place
        assert "items" not in schema or schema["items"] is not False, place
        titles += [schema["title"]] if "title" in schema and place != "/info" else []
    assert len(titles) == len(set(titles))
    names = [name.lower() for name in document.json["components"]["schemas"]]
    assert len(names) == len(set(names))
    assert all(name.isalnum() for name in names)


def test_the_document_of_several_models_methods_and_logins_is_valid(demo: Client, publish: Publish) -> None:
    publish("res.partner", fields="all")
    publish("res.users", fields="all", authentication="public", run_as="demo", rate_limit="100/minute")
    for method in ("echo", "join", "prefixed", "name_of_partner"):
        arguments = {"partner_id": "res.partner", "others": "res.partner"} if method == "name_of_partner" else {}
        publish(
            fields=(), type="rpc", method=method, arguments=arguments, http_methods=["GET", "POST"], rate_limit="5/day"
        )
    models = [{"model": "res.partner", "fields": ["name"]}, {"model": "res.groups", "fields": ["name"]}]
    publish(models=models, route="/api/several")
    publish(models=[], type="key_authentication")
    document = Document(demo)
    check_document(document)
    check_that_generators_can_use(document)
    assert "/api/several/res.partner/{id}" in document.paths()
    assert set(document.json["paths"]["/api/several/res.groups"]) == {"get"}  # can be read alone


def test_every_answer_is_what_the_document_says(demo: Client, publish: Publish, root: Root) -> None:
    tag, partner, company = root(
        lambda env: (
            env["test.tag"].create({"name": "tag"}).id,
            env["res.partner"].create({"name": "p", "email": "p@example.com"}).id,
            env.company.id,
        )
    )
    full = {
        "name": "full", "code": "C", "notes": "n", "body": "<p>b</p>", "count": 2, "ratio": 1.5, "amount": 1,
        "flag": True, "day": "2026-01-31", "moment": "2026-01-31T08:00:00Z", "state": "done", "company_id": company,
        "document": "RXhhbXBsZQ==", "picture": None, "partner_id": [partner, "p"], "tag_ids": [[4, tag]],
        "line_ids": [[0, 0, {"name": "line", "price": 2.5, "tag_id": tag}]], "target": f"test.tag,{tag}",
        "res_model": "test.tag", "res_id": tag, "data": {"any": [1, None]}, "title": "t", "properties": {},
    }  # fmt: skip
    for keys in ({}, *OTHERS):
        route = publish(fields=FIELDS, related=RELATED, id_obfuscation=False, **keys)
        document = Document(demo)
        calls = [
            ("POST", route, route, {"json": full}),
            ("POST", route, route, {"json": {"name": "empty"}}),
            ("GET", route, route, {}),
            ("GET", route, route, {"query_string": {"count": "none", "limit": 1, "fields": "name"}}),
            ("GET", route, route, {"query_string": {"domain": "[("}}),
            ("POST", route, route, {"json": {"name": "forbidden"}}),
            ("POST", route, route, {"json": {"nam": 1}}),
            ("GET", f"{route}/{{id}}", f"{route}/0", {}),
        ]
        if not keys:
            kept = [demo.result("POST", route, json={**full, "code": code})["id"] for code in ("A", "B")]
            calls += [
                ("GET", f"{route}/{{id}}", f"{route}/{kept[0]}", {}),
                ("PATCH", f"{route}/{{id}}", f"{route}/{kept[0]}", {"json": {"name": "other"}}),
                ("PATCH", f"{route}/{{id}}", f"{route}/{kept[0]}", {"json": {}, "headers": {"If-Match": '"x"'}}),
                ("DELETE", f"{route}/{{id}}", f"{route}/{kept[0]}", {}),
                ("GET", f"{route}/bulk", f"{route}/bulk?ids={kept[1]}", {}),
                ("GET", f"{route}/bulk", f"{route}/bulk?atomic=false&ids={kept[1]},0", {}),
                ("POST", route, route, {"json": [{"name": "a"}, {"name": "b"}]}),
                ("POST", route, f"{route}?atomic=false", {"json": [{"name": "a"}, {"name": "forbidden"}]}),
                ("PATCH", route, route, {"json": [{"id": kept[1], "state": "draft"}]}),
                ("PATCH", route, route, {"json": {"ids": kept[1:], "count": 1}}),
                ("DELETE", route, route, {"json": kept[1:]}),
            ]
        for method, path, address, options in calls:
            answer = demo(method, address, **options)
            assert answer.status_code != 500
            document.check_answer(path, method, answer)
            if answer.status_code == 200 and "json" in options and "error" not in answer.json:
                document.check_body(path, method, options["json"])
        etag = demo("GET", f"{route}/1").headers.get("ETag")
        if etag:
            document.check_answer(f"{route}/{{id}}", "GET", demo("GET", f"{route}/1", headers={"If-None-Match": etag}))


def test_the_answer_for_a_record_that_is_handed_over_is_described(
    demo: Client, other: Client, publish: Publish, root: Root
) -> None:
    other_id = root(lambda env: env["res.users"].search([("login", "=", "other")]).id)
    route = publish(fields=["name", "owner_id"], id_obfuscation=False)
    document = Document(demo)
    ids = [demo.result("POST", route, json={"name": "mine"})["id"] for _ in range(2)]
    one = demo("PATCH", f"{route}/{ids[0]}", json={"owner_id": other_id})
    several = demo("PATCH", route, json={"ids": ids[1:], "owner_id": other_id})
    assert (one.json["result"]["visible"], several.json["result"][0]["visible"]) == (False, False)
    document.check_answer(f"{route}/{{id}}", "PATCH", one)
    document.check_answer(route, "PATCH", several)


def test_what_is_read_may_be_written_by_the_document_too(demo: Client, publish: Publish) -> None:
    route = publish(fields=[name for name in FIELDS if name != "thumbnail"], related=RELATED)
    record = demo.result("POST", route, json={"name": "round trip", "line_ids": [[0, 0, {"name": "line"}]]})
    document = Document(demo)
    writable = document.json["components"]["schemas"][f"T{route[6:]}Update"]["properties"]
    values = {name: value for name, value in record.items() if name in writable and name != "picture"}
    document.check_body(f"{route}/{{id}}", "PATCH", values)
    assert demo.result("PATCH", f"{route}/{record['id']}", json=values)["name"] == "round trip"


def test_addresses_of_binaries_are_described_where_they_are_shown(
    demo: Client, publish: Publish, make_token: Callable[..., str]
) -> None:
    route = publish(fields=["name", "document", "company_id"], related={"company_id": ["logo"]}, clients=["Reader 0"])
    publish(fields=["name", "document"], binary="base64")
    document = Document(demo)
    check_document(document)
    record = demo.result("POST", route, json={"name": "with a document", "document": "RXhhbXBsZQ=="})
    (path,) = (path for path in document.json["paths"] if path.startswith("/api/binary/"))
    assert path.format(id=record["id"], field="document") == record["document"]
    (image,) = (path for path in document.json["paths"] if path.startswith("/api/image/"))
    assert image.endswith("/res.company/{id}/{field}")
    searcher = Document(demo, headers={"Authorization": f"Bearer {make_token('search')}"})
    assert not [path for path in searcher.json["paths"] if path.startswith(("/api/image/", "/api/binary/"))]


def test_labels_help_and_selections_come_from_odoo(demo: Client, publish: Publish) -> None:
    route = publish(fields=["name", "state"])
    schemas = Document(demo).json["components"]["schemas"]
    fields = schemas[f"T{route[6:]}Record"]["properties"]
    assert fields["name"] == {"type": "string", "description": "Name. What the record is called."}
    assert fields["state"]["enum"] == ["draft", "done", ""]
    assert fields["state"]["description"] == "State\n\ndraft: Draft, done: Done"
    assert schemas[f"T{route[6:]}Create"]["required"] == ["name"]


def test_an_example_that_is_sent_as_it_stands_names_no_record(demo: Client, publish: Publish, root: Root) -> None:
    root(lambda env: env["test.record"].create({"name": "First"}).id)
    for id_obfuscation in (True, False):
        route = publish(id_obfuscation=id_obfuscation)
        document = Document(demo)
        for method in ("PATCH", "DELETE"):
            content = document.operation(route, method)["requestBody"]["content"]["application/json"]
            for example in content["examples"].values():
                assert demo.error(method, route, json=example["value"])[0] == 404
        parameter = document.resolved(document.operation(f"{route}/{{id}}", "GET")["parameters"][0]["schema"])
        assert demo.error("DELETE", f"{route}/{parameter['examples'][0]}")[0] == 404


def test_no_component_is_named_that_nothing_refers_to(demo: Client, publish: Publish) -> None:
    publish()
    document = Document(demo)
    text = json.dumps(document.json)
    for kind in ("parameters", "headers", "responses"):
        for name in document.json["components"][kind]:
            assert f'"#/components/{kind}/{name}"' in text, name


def test_the_server_is_named_as_the_caller_reaches_it(demo: Client, publish: Publish) -> None:
    publish()
    for base in ("http://gatehouse.example", "https://api.example.com:8443"):
        document = Document(demo, base_url=base)
        assert document.json["servers"] == [{"url": base}]
        flows = document.json["components"]["securitySchemes"]["oauth2"]["flows"]
        assert flows["clientCredentials"]["tokenUrl"] == f"{base}/api/oauth2/token"
    tags = {demo("GET", "/api/openapi.json", base_url=f"http://{name}.example").headers["ETag"] for name in "ab"}
    assert len(tags) == 2


def test_no_host_that_somebody_makes_up_makes_a_document_anew(
    anyone: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(authentication="public")
    Document(anyone)
    monkeypatch.setattr("app.openapi.documents.describe", lambda *_: pytest.fail("the document is made again"))
    for number in range(3):
        base = f"http://{number}.example"
        assert Document(anyone, base_url=base).json["servers"] == [{"url": base}]


@pytest.mark.parametrize("field", ["lang", "tz"])
def test_languages_and_time_zones_are_plain_text_with_an_example(field: str, demo: Client, publish: Publish) -> None:
    route = publish("res.partner", fields=["name", field])
    document = Document(demo)
    shown = document.json["components"]["schemas"][f"T{route[6:]}Record"]["properties"][field]
    assert shown["type"] == "string"
    assert shown["examples"]
    assert "enum" not in shown
    for name in ("Accept-Language", "X-Timezone"):
        header = document.json["components"]["parameters"][name]
        assert header["schema"].get("enum") is None
        assert header["example"]


def test_the_batch_of_the_document_works_as_it_stands(demo: Client, publish: Publish) -> None:
    publish(fields=["name"])
    document = Document(demo)
    operation = document.operation("/api/batch", "post")
    assert operation["tags"] == ["Batch"]
    (media,) = operation["requestBody"]["content"].values()
    answers = demo.result("POST", "/api/batch", json=media["example"])
    assert [answer["status"] for answer in answers] == [200, 200]
    assert answers[0]["result"]["id"] == answers[1]["result"]["id"]


def test_webhooks_are_described_where_an_api_has_them(demo: Client, publish: Publish) -> None:
    publish(fields=["name"])
    plain = Document(demo).json
    assert "webhooks" not in plain
    assert not [path for path in plain["paths"] if path.startswith("/api/webhooks")]
    assert "webhook-id" not in plain["components"]["parameters"]
    route = publish(fields=["name", "count"], webhooks=True, deprecated="2026-11-01")
    document = Document(demo)
    check_document(document)
    check_that_generators_can_use(document)
    name = route.removeprefix("/api/")
    events = {f"{name}_{event}" for event in ("created", "updated", "removed")}
    assert set(document.json["webhooks"]) == events | {"webhook_test", "webhook_resync"}
    for operation in (item["post"] for item in document.json["webhooks"].values()):
        names = {document.resolved(parameter)["name"] for parameter in operation["parameters"]}
        assert names == {"webhook-id", "webhook-timestamp", "webhook-signature"}
        assert set(operation["responses"]) == {"2XX", "410", "default"}
        assert operation["security"] == []
    create = document.operation("/api/webhooks", "post")
    assert create["security"] == [{"oauth2": ["search"]}]
    example = create["requestBody"]["content"]["application/json"]["example"]
    checked = WebhookDocument.model_validate(example)
    properties = document.resolved(create["requestBody"]["content"]["application/json"]["schema"])["properties"]
    assert properties.keys() == type(checked).model_fields.keys()
    update = document.operation("/api/webhooks/{webhook}", "patch")["requestBody"]["content"]["application/json"]
    assert document.resolved(update["schema"])["properties"].keys() == WebhookChange.model_fields.keys()


def test_the_record_that_a_webhook_sends_is_described_as_one_that_is_read(demo: Client, publish: Publish) -> None:
    models = [{"model": "test.record", "fields": ["name", "count"]}, {"model": "test.tag", "fields": ["name"]}]
    hidden = publish(fields=["name", "count"], search_fields=["name"], endpoints={"read": False}, webhooks=True)
    route = publish(models=models, route="/api/told-of", webhooks=True)
    document = Document(demo)
    check_document(document)

    def sent(message: str) -> Json:
        post = document.json["webhooks"][message]["post"]
        schema = document.resolved(post["requestBody"]["content"]["application/json"]["schema"])
        return document.resolved(schema["properties"]["data"])

    assert route == "/api/told-of"
    assert set(sent("told_of_test_tag_removed")["properties"]) == {"webhook", "api", "model", "id"}
    created = sent("told_of_test_record_created")
    assert "record" not in created["required"]
    assert set(document.resolved(created["properties"]["record"])["properties"]) == {"id", "name", "count"}
    searched = sent(f"{hidden.removeprefix('/api/')}_updated")["properties"]["record"]
    assert set(document.resolved(searched)["properties"]) == {"id", "name"}


def test_an_error_is_described_once_for_all_operations(demo: Client, publish: Publish) -> None:
    route = publish()
    document = Document(demo)
    found = [
        document.operation(path, method)["responses"]["404"]
        for path, method in ((route, "get"), (f"{route}/{{id}}", "patch"))
    ]
    assert found == [{"$ref": "#/components/responses/NotFound"}] * 2
    (example,) = [media["example"] for media in document.resolved(found[0])["content"].values()]
    assert example["error"]["data"]["name"] == "not_found"


def test_a_method_is_described_by_its_signature_and_docstring(demo: Client, publish: Publish) -> None:
    route = publish(fields=(), type="rpc", method="echo", http_methods=["GET", "POST"])
    document = Document(demo)
    operation = document.operation(route, "post")
    assert operation["description"].startswith("Return what it is given")
    keywords, positional = operation["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    assert document.resolved(keywords)["properties"] == {
        "value": {},
        "flag": {"default": False},
        "only_by_name": {"default": "x"},
    }
    assert positional["maxItems"] == 2
    assert {"value", "flag"} <= {parameter.get("name") for parameter in document.operation(route, "get")["parameters"]}


def test_security_names_the_scope_of_each_operation(demo: Client, publish: Publish) -> None:
    route, public = publish(), publish(authentication="public")
    document = Document(demo)
    assert document.operation(f"{route}/{{id}}", "patch")["security"] == [
        {"session": []},
        {"apiKey": []},
        {"oauth2": ["update"]},
    ]
    assert document.operation(public, "get")["security"] == []
    flows = document.json["components"]["securitySchemes"]["oauth2"]["flows"]
    assert all(set(flow["scopes"]) == set(SCOPES) for flow in flows.values())


def test_a_caller_sees_what_their_credentials_could_call(
    anyone: Client, demo: Client, publish: Publish, make_token: Callable[..., str]
) -> None:
    def bearer(token: str) -> Json:
        return {"headers": {"Authorization": f"Bearer {token}"}}

    public, private = publish(authentication="public"), publish()
    connected = publish(clients=["Reader 0"])
    executed = publish(clients=["Reader 1"], run_as="demo")
    publish(published=False)
    suffixes = ("", "/bulk", "/import", "/{id}")
    every = {route + suffix for route in (private, connected, executed) for suffix in suffixes}
    open_to_all = {public + suffix for suffix in suffixes}
    assert Document(anyone).paths() == open_to_all
    assert Document(demo).paths() == open_to_all | every
    reader = bearer(make_token("read"))
    assert Document(anyone, **reader).paths() == open_to_all | {f"{connected}/bulk", f"{connected}/{{id}}"}
    assert list(Document(anyone, **reader).json["paths"][f"{connected}/{{id}}"]) == ["get"]
    # A client app that acts as nobody can call only what another user executes.
    assert Document(anyone, **bearer(make_token("search", uid=None))).paths() == open_to_all | {executed}
    assert anyone("GET", "/api/openapi.json", **bearer("made-up")).status_code == 401
    anyone.http.set_cookie("session_id", "x" * 84)
    assert Document(anyone).paths() == open_to_all


@pytest.fixture
def key(root: Root) -> Iterator[str]:
    """An Odoo API key of `demo`."""

    def make(env: Any) -> str:
        made: str = env["res.users.apikeys"].with_user(env.ref("base.user_demo")).sudo()._generate(None, "docs", None)
        return made

    yield root(make)
    root(lambda env: env["res.users.apikeys"].search([("name", "=", "docs")])._remove())


@pytest.mark.parametrize(("kind", "lookups"), [("token", 1), ("api_key", 1), ("session", 0)])
def test_credentials_are_looked_up_and_counted_once_whoever_executes_the_calls(
    kind: str,
    lookups: int,
    anyone: Client,
    demo: Client,
    publish: Publish,
    make_token: Callable[..., str],
    key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = [publish(clients=["Reader 0"], **options) for options in ({}, {"run_as": "demo"}, {"run_as": "admin"})]
    caller = demo if kind == "session" else anyone
    bearer = {"token": make_token("search"), "api_key": key}.get(kind)
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    before = meters.credentials(kind, "good")._value.get()
    with counted_queries(monkeypatch) as queries:
        assert set(shown) <= Document(caller, headers=headers).paths()
    assert meters.credentials(kind, "good")._value.get() == before + 1
    assert sum("gatehouse.token" in query or "res_users_apikeys" in query for query in queries) == lookups


def test_the_document_of_one_api(anyone: Client, demo: Client, publish: Publish, app: Gatehouse) -> None:
    publish(authentication="public")
    route = publish()
    name = next(one.name for one in app.services.catalog.snapshot.definitions.values() if one.document.route == route)
    assert Document(demo, name).paths() == {route, f"{route}/bulk", f"{route}/import", f"{route}/{{id}}"}
    assert anyone.error("GET", "/api/openapi.json", query_string={"api": name})[0] == 404
    assert demo.error("GET", "/api/openapi.json?api=made-up")[0] == 404
    assert demo.error("GET", "/api/openapi.json?ap=1")[0] == 400


def test_an_api_that_is_out_of_service_is_not_shown(demo: Client, publish: Publish, app: Gatehouse) -> None:
    route = publish("test.record", fields=["name"])
    (stored,) = stored_apis.load(app).apis
    stored_apis.write(
        app,
        [{**stored.document, "models": [{"model": "test.record", "fields": ["vanished"]}]}],
    )
    app.services.catalog.refresh()
    assert demo.error("GET", route)[0] == 503
    assert Document(demo).paths() == set()


def test_the_document_has_the_version_of_gatehouse(anyone: Client) -> None:
    assert Document(anyone).json["info"]["version"] == VERSION


def test_a_document_is_sent_again_only_after_a_change(demo: Client, publish: Publish) -> None:
    publish()
    first = demo("GET", "/api/openapi.json")
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie"} <= set(first.headers["Vary"].split(", "))
    condition = {"headers": {"If-None-Match": first.headers["ETag"]}}
    assert demo("GET", "/api/openapi.json", **condition).status_code == 304
    publish()
    assert demo("GET", "/api/openapi.json", **condition).status_code == 200


def test_the_page_loads_nothing_from_elsewhere(anyone: Client) -> None:
    page = anyone("GET", "/api/docs")
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    assert {found[0] for found in re.findall(r' (?:src|href|action)="([^"]*)"', page.text)} == {"/"}
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "own/docs.js", "own/docs.css"):
        assert name in page.text
        assert anyone("GET", f"/api/docs/{name}").status_code == 200
    for name in ("index.html", "LICENSE", "..%2fflask_swagger_ui.py", "own/..%2fviews.py"):
        assert anyone("GET", f"/api/docs/{name}").status_code == 404
