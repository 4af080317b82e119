"""Input that is small and stands for much: images, JSON, Python literals and YAML, wherever they are taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from odoo.modules.registry import Registry  # noqa: TID251  whose model gets a method here

from app import literals
from app.editing import yaml_text
from app.errors import BadRequest
from app.web.routing import Gatehouse
from tests.http import bombs
from tests.http.conftest import Client, Publish, Root, Sql
from tests.http.panel import Panel, texts

SIDE = 60_000


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (bombs.png, "picture"),
        (bombs.gif, "picture"),
        (bombs.bmp, "picture"),
        # Attachments of these types are made smaller by Odoo.
        (bombs.png, "document"),
        (bombs.bmp, "document"),
    ],
)
def test_an_image_of_billions_of_pixels_is_400(
    make: Callable[[int], bytes], field: str, demo: Client, publish: Publish, root: Root
) -> None:
    route = publish(fields=["name", field], id_obfuscation=False)
    content = bombs.encoded(make(SIDE))
    status, error = demo.error("POST", route, json={"name": "a bomb", field: content})
    assert (status, error["data"]["name"], error["data"]["parameter"]) == (400, "invalid_image", "body")
    assert "50 million pixels" in error["message"]
    status, error = demo.error("POST", route, json=[{"name": "one"}, {"name": "two", field: content}])
    assert (status, error["data"]["name"], error["data"]["index"]) == (400, "invalid_image", 1)
    (record,) = root(lambda env: env["test.record"].create({"name": "as it was"}).ids)
    assert demo.error("PATCH", f"{route}/{record}", json={field: content})[0] == 400


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(bombs.png(7_100), id="just above Odoo's limit"),
        pytest.param(bombs.png(8, more=bombs.chunk(b"\xcdXYZ", b"")), id="a chunk without a name"),
        pytest.param(b"P6 eight 8 255\n" + bytes(192), id="a side that is no number"),
        pytest.param(b"P6 " + b"8" * 300, id="a side without an end"),
    ],
)
def test_an_image_that_pillow_cannot_read_is_400(content: bytes, demo: Client, publish: Publish) -> None:
    route = publish("res.partner", fields=["name", "image_1920"])
    values = {"name": "broken", "image_1920": bombs.encoded(content)}
    assert demo.refusal("POST", route, json=values) == (400, "invalid_image")


def test_a_method_that_is_given_such_an_image_is_400(
    demo: Client, publish: Publish, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_picture(self: Any, picture: str) -> Any:
        return self.create({"name": "by a method", "picture": picture})

    monkeypatch.setattr(Registry(database)["test.record"], "with_picture", with_picture, raising=False)
    route = publish(fields=(), type="rpc", method="with_picture", arguments={"picture": "harmless"})
    assert demo.refusal("POST", route, json={"picture": bombs.encoded(bombs.png(SIDE))}) == (400, "invalid_image")


def test_the_item_with_such_an_image_tells_that_it_came_in_the_body(demo: Client, publish: Publish) -> None:
    route = publish(fields=["name", "picture"])
    items = [{"name": "one"}, {"name": "two", "picture": bombs.encoded(bombs.png(SIDE))}]
    _, error = demo.error("POST", route, json=items)
    done, failed = demo.result("POST", f"{route}?atomic=false", json=items)
    assert done["status"] == 200
    for each in (error, failed["error"]):
        assert (each["data"]["name"], each["data"]["parameter"]) == ("invalid_image", "body")


def test_such_an_image_that_is_stored_is_served_as_it_is(demo: Client, publish: Publish, root: Root) -> None:
    content = bombs.png(SIDE)
    route = publish(fields=["name", "blob", "picture"], id_obfuscation=False)

    def store(env: Any) -> Any:
        record = env["test.record"].create({"name": "stored by somebody else"})
        values = {"name": "picture", "res_model": "test.record", "res_field": "picture", "res_id": record.id}
        env["ir.attachment"].with_context(image_no_postprocess=True).create({**values, "raw": content})
        return record.ids

    (record,) = root(store)
    url = demo.result("GET", f"{route}/{record}")["picture"]
    answer = demo("GET", url)
    assert (answer.status_code, answer.mimetype, len(answer.data)) == (200, "image/png", len(content))


DEEP = {
    "JSON": "[" * 1000 + "]" * 1000,
    "JSON beyond the parser": "[" * 20_000 + "]" * 20_000,
    "open brackets": "[" * 20_000,
    "tuples": "(" * 150 + "1" + ",)" * 150,
    "signs": "-" * 60_000 + "1",
    "sums": "1+" * 30_000 + "1",
    "nots": "not " * 10_000 + "1",
    "powers": "1**" * 20_000 + "1",
    "calls": "f(" * 90 + ")" * 90,
    "attributes": "a" + ".b" * 30_000,
    "digits": "9" * 60_000,
    "objects": '{"a":' * 1000 + "1" + "}" * 1000,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_a_text_that_is_nested_too_deep_or_no_literal_is_refused(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        literals.parse(text, "domain")
    assert refused.value.name == "invalid_domain"


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
@pytest.mark.parametrize("parameter", ["domain", "fields"])
def test_such_a_parameter_is_400(text: str, parameter: str, demo: Client, publish: Publish) -> None:
    status, error = demo.error("GET", publish(), data={parameter: text})
    assert status == 400
    assert error["data"]["name"] in (f"invalid_{parameter}", "unknown_field")


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_such_a_body_is_400(text: str, demo: Client, publish: Publish, app: Gatehouse, sql: Sql) -> None:
    route = publish(log_bodies=True)
    answer = demo("POST", route, data=text, content_type="application/json")
    assert answer.status_code == 400
    app.services.recorder.flush()
    ident = answer.headers["X-Request-ID"]
    assert sql("SELECT status FROM gatehouse.request_log WHERE request_id = %s", ident) == [(400,)]


@pytest.mark.parametrize("text", [DEEP["JSON"], DEEP["objects"]], ids=["JSON", "objects"])
def test_such_an_argument_of_a_method_is_400(text: str, demo: Client, publish: Publish) -> None:
    route = publish(fields=(), type="rpc", method="echo", http_methods=["GET"])
    status, error = demo.error("GET", route, query_string={"value": text})
    assert (status, error["data"]["name"]) == (400, "invalid_arguments")
    assert "value" in error["message"]


HUGE = ("0x" + "f" * 4_500, "0b" + "1" * 15_000, str(2**63), str(-(2**63) - 1))


@pytest.mark.parametrize("number", HUGE, ids=["hexadecimal", "binary", "above", "below"])
@pytest.mark.parametrize("domain", ["{}", "[('count', '=', {})]", "[('count', 'in', [1, {}])]", "[({}, '=', 1)]"])
def test_a_number_that_no_database_holds_is_400(number: str, domain: str, demo: Client, publish: Publish) -> None:
    route = publish(fields=("name", "count"))
    assert demo.refusal("GET", route, data={"domain": domain.format(number)}) == (400, "invalid_domain")


@pytest.mark.parametrize("number", HUGE, ids=["hexadecimal", "binary", "above", "below"])
def test_a_file_with_such_a_number_is_refused(number: str) -> None:
    with pytest.raises(yaml_text.NotYaml, match="64 bits"):
        yaml_text.parse(f"domain: [[count, '=', {number}]]")


@pytest.fixture
def panel(admin: Client) -> Panel:
    return Panel(admin)


BOMBS = {
    **DEEP,
    "YAML aliases": "- &a {model: test.record, fields: [name]}\n"
    + "".join(f"- &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(8)),
    "YAML aliases in a domain": "- model: test.record\n  fields: [name]\n  domain:\n    - &a [x, x, x, x, x, x, x, x]\n"
    + "".join(f"    - &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(8)),
    "a domain as text": json.dumps([{"model": "test.record", "fields": ["name"], "domain": DEEP["JSON"]}]),
    "a domain as a literal": json.dumps([{"model": "test.record", "fields": ["name"], "domain": DEEP["tuples"]}]),
    "a day that is none": "- {model: test.record, fields: [name], domain: [[day, '=', 2026-02-30]]}",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_such_models_in_the_panels_form_are_400_with_the_reason(text: str, panel: Panel) -> None:
    page = panel.send("/admin/apis/new", name="Bomb", route="/api/bomb", type="rest", models=text)
    assert page.status_code == 400
    assert "models" in page.text
    assert "Something went wrong" not in texts(page)


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_such_a_definition_file_is_400_in_the_panel_and_named_by_the_command(
    text: str, panel: Panel, app: Gatehouse, tmp_path: Any
) -> None:
    page = panel.submit(panel.get("/admin/files/"), "/admin/files/", "/preview", text=text)
    assert page.status_code == 400
    assert "This file can't be imported" in texts(page)
    file = tmp_path / "bomb.yaml"
    file.write_text(text)
    result = app.test_cli_runner().invoke(args=["api", "import", str(file)])
    assert isinstance(result.exception, SystemExit)
    assert f"{file}: " in result.output
