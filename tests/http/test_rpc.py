"""RPC: contract section 3, on real methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.catalog.odoo_source import OdooSource
from app.definitions.compiler import compile_document
from app.definitions.document import ApiDocument
from app.web.routing import Gatehouse
from tests import stored_apis
from tests.conftest import OPERATOR
from tests.http.conftest import Client, Publish, Root, Sql


@pytest.fixture
def rpc(publish: Publish) -> Callable[..., str]:
    """Publish an API that calls one method of test.record, with Odoo's own ids."""

    def run(method: str, model: str = "test.record", **keys: Any) -> str:
        return publish(model, fields=(), type="rpc", method=method, **{"id_obfuscation": False, **keys})

    return run


def test_a_method_is_called_on_the_model_a_record_or_several(demo: Client, rpc: Callable[..., str], root: Root) -> None:
    first, second = root(lambda env: env["test.record"].create([{"name": "one"}, {"name": "two"}]).ids)
    route = rpc("echo")
    expected = {"value": 5, "flag": False, "only_by_name": "x"}
    assert demo.result("POST", route, json={"value": 5}) == {**expected, "ids": []}
    assert demo.result("POST", f"{route}/{first}", json={"value": 5}) == {**expected, "ids": [first]}
    several = demo.result("POST", f"{route}/bulk?ids={second},{first}", json={"value": 5})
    assert several == {**expected, "ids": [second, first]}


def test_a_method_is_called_on_all_records_that_are_named_item_by_item(
    demo: Client, rpc: Callable[..., str], root: Root
) -> None:
    first, second = root(lambda env: env["test.record"].create([{"name": "one"}, {"name": "two"}]).ids)
    several = f"{rpc('echo', http_methods=['GET', 'POST'])}/bulk?ids={second}&ids={first}"
    assert demo.result("GET", several)["ids"] == [second, first]
    assert demo.result("POST", several, json={})["ids"] == [second, first]


def test_the_demos_method_works_as_the_contract_says(anyone: Client, rpc: Callable[..., str]) -> None:
    route = rpc("get_company_name_with_phone", "res.company", authentication="public")
    plain = anyone.result("POST", f"{route}/1", json={})
    assert anyone.result("POST", f"{route}/1") == plain
    assert anyone.result("POST", f"{route}/1", json={"is_uppercase": True}) == plain.upper()
    assert anyone.result("POST", f"{route}/1", json=[True]) == plain.upper()
    enveloped = {"jsonrpc": "2.0", "id": 9, "params": {"is_uppercase": True}}
    assert anyone("POST", f"{route}/1", json=enveloped).json == {"jsonrpc": "2.0", "id": 9, "result": plain.upper()}


@pytest.mark.parametrize(
    ("method", "body", "mentions"),
    [
        ("echo", {"valeu": 1}, "valeu"),
        ("echo", [1, 2, 3], "too many positional"),
        ("echo", {"self": 1}, "self"),
        ("echo", {"context": {"lang": "de_DE"}}, "context"),
        ("join", {"first": 1}, "second"),
        ("join", [1], "second"),
        ("join", {"first": 1, "second": 2, "context": {}}, "context"),
        ("echo", "text", "object"),
        ("echo", 5, "object"),
    ],
)
def test_arguments_that_do_not_fit_the_signature_are_named(
    method: str, body: Any, mentions: str, demo: Client, rpc: Callable[..., str]
) -> None:
    status, error = demo.error("POST", rpc(method), json=body)
    assert status == 400
    assert mentions in error["message"]


def test_any_arguments_pass_where_the_method_takes_any(demo: Client, rpc: Callable[..., str]) -> None:
    route = rpc("join")
    assert demo.result("POST", route, json=[1, 2, 3, 4]) == [1, 2, [3, 4], {}]
    assert demo.result("POST", route, json={"first": 1, "second": 2, "third": 3}) == [1, 2, [], {"third": 3}]


def test_a_get_takes_arguments_from_the_query_where_it_is_allowed(demo: Client, rpc: Callable[..., str]) -> None:
    route = rpc("prefixed", http_methods=["GET", "POST"])
    assert demo.result("GET", f"{route}?prefix=007&number=7") == "0077"
    assert demo.result("GET", f"{route}?number=text") == "'text'"
    assert demo.result("GET", f"{rpc('echo', http_methods=['GET'])}?flag=true&value=[1]")["value"] == [1]
    assert demo.error("GET", rpc("prefixed"))[0] == 405


@pytest.mark.parametrize("argument", ["fields", "ids"])
def test_an_argument_of_a_get_is_given_once_whatever_it_is_called(
    argument: str, demo: Client, rpc: Callable[..., str]
) -> None:
    route = rpc("join", http_methods=["GET"], arguments={"**others": "harmless"})
    given = f"{route}?first=1&second=2&{argument}=a"
    assert demo.result("GET", given) == [1, 2, [], {argument: "a"}]
    assert demo.refusal("GET", f"{given}&{argument}=b") == (400, "duplicate_parameter")


def test_a_get_cannot_write(demo: Client, rpc: Callable[..., str], root: Root, sql: Sql) -> None:
    (record,) = root(lambda env: env["test.record"].create({"name": "unwritten"}).ids)
    route = rpc("rename", http_methods=["GET", "POST"])
    assert demo.refusal("GET", f"{route}/{record}?name=written") == (403, "read_only")
    assert sql("SELECT name FROM test_record WHERE id = %s", record) == [("unwritten",)]
    assert demo.result("POST", f"{route}/{record}", json={"name": "written"}) == [record]
    assert sql("SELECT name FROM test_record WHERE id = %s", record) == [("written",)]


def test_results_of_any_shape_become_plain_json(demo: Client, rpc: Callable[..., str]) -> None:
    assert demo.result("POST", rpc("odd_shapes"), json={}) == {
        "1": "2026-01-31",
        "null": "2026-01-31T08:00:00Z",
        "bytes": "Ynl0ZXM=",
        "decimal": 1.5,
        "nothing": None,
        "tuple": [1, 2],
        "generator": [0, 1, 4],
        "set": [7],
        "lazy": "Lazy",
        "infinite": None,
        "large": 1e30,
        "action": {"type": "ir.actions.act_window", "res_model": "test.record", "domain": [["id", ">", 0]]},
        "object": "<class 'object'>",
    }


def test_ids_in_results_and_arguments_are_in_the_apis_form(
    demo: Client, rpc: Callable[..., str], publish: Publish, root: Root
) -> None:
    partners = publish("res.partner")
    first, second = demo.result("GET", f"{partners}?limit=2&order=id")["records"]
    route = rpc(
        "name_of_partner", id_obfuscation=True, arguments={"partner_id": "res.partner", "others": "res.partner"}
    )
    body = {"partner_id": first["id"], "others": [second["id"]]}
    assert demo.result("POST", route, json=body) == [first["name"], second["name"]]
    assert demo.result("POST", route, json=[first["id"]]) == [first["name"]]
    for wrong in (1, "made-up", None):
        answer = demo("POST", route, json={"partner_id": wrong})
        assert answer.status_code == 400 or wrong is None
    (record,) = demo.result("POST", publish(), json=[{"name": "to rename"}])
    renamed = demo.result("POST", f"{rpc('rename', id_obfuscation=True)}/{record['id']}", json={"name": "renamed"})
    assert renamed == [record["id"]]


def test_an_argument_names_only_records_that_the_user_can_see(
    demo: Client, rpc: Callable[..., str], root: Root
) -> None:
    (hidden,) = root(
        lambda env: env["test.record"].create({"name": "hidden", "owner_id": env.ref("base.user_admin").id}).ids
    )
    route = rpc("echo", arguments={"value": "test.record"})
    status, error = demo.error("POST", route, json={"value": hidden})
    assert (status, error["data"]["field"]) == (400, "value")


def test_records_that_user_or_definition_hide_are_404(demo: Client, rpc: Callable[..., str], root: Root) -> None:
    hidden, done = root(
        lambda env: (
            env["test.record"]
            .create([{"name": "h", "owner_id": env.ref("base.user_admin").id}, {"name": "d", "state": "done"}])
            .ids
        )
    )
    route = rpc("echo", domain=[["state", "!=", "done"]])
    for record in (hidden, done, 2**31 - 1):
        assert demo.error("POST", f"{route}/{record}", json={})[0] == 404
        status, error = demo.error("POST", f"{route}/bulk?ids={record}", json={})
        assert (status, error["data"]["index"]) == (404, 0)
    assert demo.error("POST", f"{route}/made-up", json={})[0] == 404
    assert demo.error("POST", f"{route}/bulk", json={})[0] == 400


def test_what_odoo_or_the_method_refuses_is_an_application_error(demo: Client, rpc: Callable[..., str]) -> None:
    status, error = demo.error("POST", rpc("refuse"), json={})
    assert (status, error["message"]) == (200, "Not today.")
    assert demo.error("POST", rpc("refuse", application_errors=422), json={})[0] == 422


@pytest.mark.parametrize("method", ["break_down", "endless"])
def test_a_defect_in_a_method_tells_nothing(method: str, demo: Client, rpc: Callable[..., str]) -> None:
    status, error = demo.error("POST", rpc(method), json={})
    assert status == 500
    assert "secret" not in error["message"]


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("test.record", "kept_private"),
        ("test.record", "_hidden"),
        ("test.record", "_compute_doubled"),
        ("test.record", "__init__"),
        ("test.record", "nothing"),
        ("test.record", "name"),
        ("test.record", "sudo"),
        ("test.record", "with_user"),
        ("test.record", "browse"),
        ("test.record", "write"),
        ("test.record", "search_read"),
        ("res.users", "_check_credentials"),
        ("ir.config_parameter", "get_param"),
        ("res.users.apikeys", "remove"),
    ],
)
def test_a_method_that_may_not_be_called_from_outside_cannot_be_published(model: str, method: str, root: Root) -> None:
    document = ApiDocument.model_validate(
        {"name": "M", "route": "/api/m", "type": "rpc", "method": method, "models": [{"model": model, "fields": []}]}
    )
    problems = root(lambda env: compile_document(document, OdooSource(env, {}), importing=True)).problems
    assert problems


def problems_of(root: Root, model: str, method: str, arguments: dict[str, str]) -> list[Any]:
    document = ApiDocument.model_validate(
        {
            "name": "M", "route": "/api/m", "type": "rpc", "method": method, "arguments": arguments,
            "models": [{"model": model, "fields": []}],
        }
    )  # fmt: skip
    return list(root(lambda env: compile_document(document, OdooSource(env, {}), importing=True)).problems)


OPEN = [
    ("res.partner", "copy", ["default"]),
    ("res.partner", "copy_data", ["default"]),
    ("res.partner", "default_get", ["fields"]),
    ("res.partner", "fields_get", ["allfields", "attributes"]),
    ("res.partner", "get_views", ["views", "options"]),
    ("res.partner", "name_create", ["name"]),
    ("res.partner", "message_new", ["msg_dict", "custom_values"]),
    ("res.partner", "message_process", ["model", "message", "custom_values", "save_original", "thread_id"]),
    ("res.partner", "message_update", ["msg_dict", "update_vals"]),
    ("res.partner", "message_subscribe", ["partner_ids", "subtype_ids"]),
    ("product.template", "activity_search", ["act_type_xmlids", "user_id", "additional_domain"]),
    ("ir.attachment", "create_unique", ["values_list"]),
    ("res.users", "signup", ["values"]),
    ("mail.message", "mark_all_as_read", ["domain"]),
    ("mail.template", "send_mail", ["email_values"]),
    ("test.record", "name_of_partner", ["others"]),
    ("test.record", "apply", ["stuff"]),
    ("test.record", "apply_later", ["anything"]),
    ("test.record", "apply_all", ["**everything"]),
    ("test.record", "look_for", ["column"]),
    ("test.record", "rank", ["how"]),
    ("test.record", "mail", ["subject"]),
    ("test.record", "set_parameter", ["value"]),
    ("test.record", "run_sql", ["statement"]),
    ("test.record", "attach", ["name"]),
    ("discuss.channel", "channel_rename", ["name"]),
    ("ir.ui.view", "save", ["value"]),
]


@pytest.mark.parametrize(("model", "method", "arguments"), OPEN)
def test_arguments_that_may_carry_fields_values_or_domains_have_to_be_declared_one_by_one(
    model: str, method: str, arguments: list[str], root: Root
) -> None:
    for name in arguments:
        others = {other: "harmless" for other in arguments if other != name}
        assert f"arguments.{name}" in {problem.place for problem in problems_of(root, model, method, others)}
    (message,) = (
        problem.message
        for problem in problems_of(root, model, method, {})
        if problem.place == f"arguments.{arguments[0]}"
    )
    assert f"{model}.{method}" in message
    assert f"{arguments[0]!r}" in message
    assert "harmless" in message


@pytest.mark.parametrize(
    ("model", "method", "arguments"),
    [
        ("res.partner", "copy", {"default": "harmless"}),
        ("res.partner", "message_subscribe", {"partner_ids": "res.partner", "subtype_ids": "mail.message.subtype"}),
        ("test.record", "apply_all", {"**everything": "harmless"}),
        ("res.partner", "action_archive", {}),
        ("res.partner", "unlink", {}),
        ("res.company", "get_company_name_with_phone", {}),
        ("res.currency", "amount_to_text", {}),
        ("discuss.channel", "channel_rename", {"name": "harmless"}),
        ("test.record", "mail", {"subject": "harmless"}),
        ("test.record", "set_parameter", {"value": "harmless"}),
        *[("test.record", name, {}) for name in ("echo", "join", "prefixed", "rename")],
    ],
)
def test_what_is_declared_or_plain_can_be_published(
    model: str, method: str, arguments: dict[str, str], root: Root
) -> None:
    assert problems_of(root, model, method, arguments) == []


@pytest.mark.parametrize(
    ("method", "arguments", "mentions"),
    [
        ("echo", {"nothing": "harmless"}, "has no argument 'nothing'"),
        ("echo", {"**others": "harmless"}, "has no argument '**others'"),
        ("join", {"**other": "harmless"}, "has no argument '**other'"),
        ("join", {"**others": "res.partner"}, "one by one"),
        ("echo", {"value": "harmful"}, "no model 'harmful'"),
    ],
)
def test_a_declaration_that_means_nothing_is_refused(
    method: str, arguments: dict[str, str], mentions: str, root: Root
) -> None:
    (problem,) = problems_of(root, "test.record", method, arguments)
    assert mentions in problem.message


def test_what_a_harmless_argument_holds_is_bound_and_passed_as_it_is(
    admin: Client, rpc: Callable[..., str], root: Root
) -> None:
    (record,) = root(lambda env: env["test.record"].create({"name": "to copy"}).ids)
    route = rpc("copy", arguments={"default": "harmless"})
    (copy,) = admin.result("POST", f"{route}/{record}", json={"default": {"name": "copied", "count": 7}})
    assert root(lambda env: env["test.record"].browse(copy).read(["name", "count"])) == [
        {"id": copy, "name": "copied", "count": 7}
    ]
    assert admin.error("POST", f"{route}/{record}", json={"defaults": {}})[0] == 400
    made = admin.result("POST", rpc("apply_all", arguments={"**everything": "harmless"}), json={"name": "as it is"})
    assert root(lambda env: env["test.record"].browse(made).mapped("name")) == ["as it is"]


def test_only_the_one_method_is_reached(demo: Client, rpc: Callable[..., str]) -> None:
    route = rpc("echo")
    for path in (f"{route}/rename", f"{route}/echo", f"{route}/1/rename"):
        assert demo.error("POST", path, json={})[0] == 404
    assert demo.error("POST", f"{route}?method=rename", json={})[0] == 400


def test_a_retried_call_with_a_key_does_its_work_once(demo: Client, rpc: Callable[..., str], sql: Sql) -> None:
    route = rpc("commit_in_between")
    headers = {"Idempotency-Key": "rpc-1"}
    first = demo.result("POST", route, json={"name": "once by rpc"}, headers=headers)
    assert demo.result("POST", route, json={"name": "once by rpc"}, headers=headers) == first
    assert sql("SELECT count(*) FROM test_record WHERE name = 'once by rpc'") == [(2,)]


@pytest.mark.parametrize("value", ["\0", {"a": ["\0"]}, {"\0": 1}])
def test_an_argument_that_no_database_takes_is_400_and_named(demo: Client, rpc: Callable[..., str], value: Any) -> None:
    status, error = demo.error("POST", rpc("echo"), json={"value": value})
    assert (status, error["data"]) == (400, {"name": "invalid_arguments", "argument": "value"} | error["data"])


def test_a_key_whose_call_failed_after_it_had_committed_a_part_is_a_conflict(
    demo: Client, rpc: Callable[..., str], sql: Sql
) -> None:
    route = rpc("commit_and_refuse")
    options = {"json": {"name": "half by rpc"}, "headers": {"Idempotency-Key": "rpc-2"}}
    assert "No more" in demo.error("POST", route, **options)[1]["message"]
    assert demo.refusal("POST", route, **options) == (409, "idempotency_key_unfinished")
    assert sql("SELECT count(*) FROM test_record WHERE name = 'half by rpc'") == [(1,)]


def test_a_method_that_vanished_puts_its_api_out_of_service(
    demo: Client, rpc: Callable[..., str], app: Gatehouse
) -> None:
    route = rpc("echo")
    (stored,) = stored_apis.load(app).apis
    stored_apis.write(app, [{**stored.document, "method": "echo_no_more"}])
    app.services.catalog.refresh()
    assert demo.refusal("POST", route, json={}) == (503, "definition_broken")
    ((name, problems),) = demo.result("GET", "/readyz", headers=OPERATOR)["out_of_service"].items()
    assert name == stored.document["name"]
    assert "echo_no_more" in problems[0]
    assert "echo_no_more" in app.test_cli_runner().invoke(args=["api", "list"]).output
