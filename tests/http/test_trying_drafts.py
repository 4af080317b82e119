"""Try it on a draft: as a test, by the administrator alone; on a record that is there; and a call of the log again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from lxml import html

from app.operations.trial import Trial
from app.web.routing import Gatehouse
from tests.http.conftest import Client, Publish, Root, Sql
from tests.http.console import Console, Tried
from tests.http.panel import texts


@pytest.fixture
def records(root: Root) -> list[int]:
    """Two records with a value each, and a third that no API of these tests admits."""
    values = [{"name": "First", "count": 1}, {"name": "Second", "count": 2}, {"name": "Third", "count": 99}]
    return list(root(lambda env: env["test.record"].create(values).ids))


def _id_of(app: Gatehouse, route: str) -> int:
    definitions = app.services.catalog.snapshot.definitions.values()
    (found,) = (each.id for each in definitions if each.document.route == route)
    return found


def test_a_draft_is_served_to_a_test_of_the_panel_and_to_nobody_else(
    publish: Publish, attempt: Console, admin: Client, anyone: Client, app: Gatehouse, sql: Sql
) -> None:
    route = publish(published=False)
    tried = attempt(route, "POST", body='{"name": "From a draft"}')
    assert (tried.status, tried.body["result"]["name"]) == (200, "From a draft")
    assert tried.headers["X-Test-Mode"] == "true"
    assert "Test: rolled back" in tried.text
    assert sql("SELECT * FROM test_record WHERE name = 'From a draft'") == []
    for outside in (admin, anyone):
        assert outside("GET", route).status_code == 404
        assert outside("GET", route, headers={"gatehouse.trial": "x", "X-Gatehouse-Trial": "x"}).status_code == 404


def test_a_draft_of_a_type_that_no_published_api_has_is_served(publish: Publish, attempt: Console) -> None:
    route = publish("res.company", fields=(), type="rpc", method="get_company_name_with_phone", published=False,
                    id_obfuscation=False)  # fmt: skip
    assert attempt(route, "POST", "/{id}", path__id="1", body="{}").status == 200


def test_a_draft_keeps_its_own_rules(publish: Publish, attempt: Console, records: list[int]) -> None:
    route = publish(fields=("name", "count"), domain=[["count", "<", 50]], endpoints={"delete": False}, published=False)
    assert attempt(route, query__domain='[["create_uid", "=", 2]]').status == 400
    assert all(each["count"] < 50 for each in attempt(route).body["result"]["records"])
    assert attempt(route, "DELETE", "/{id}", path__id="x").status == 405


@pytest.mark.parametrize(
    ("field", "values"), [("run", {"run": "real"}), ("caller", {"caller": "public"}), ("caller", {"caller": "Shop"})]
)
def test_a_draft_is_tried_neither_for_real_nor_as_anybody_else(
    publish: Publish, attempt: Console, sql: Sql, field: str, values: dict[str, str]
) -> None:
    route = publish(published=False)
    tried = attempt(route, "POST", body='{"name": "For real"}', status=400, **values)
    assert tried.tree.xpath(f"//*[@id='{field}-error']")
    assert sql("SELECT * FROM test_record WHERE name = 'For real'") == []


@pytest.mark.parametrize("more", [{"rolled_back": False}, {"rolled_back": True, "client": 1}])
def test_the_mark_of_a_draft_exists_for_tests_of_an_administrator_alone(
    publish: Publish, app: Gatehouse, more: dict[str, Any]
) -> None:
    publish(published=False)
    (definition,) = app.services.catalog.snapshot.definitions.values()
    with pytest.raises(ValueError, match="as a test alone"):
        Trial(2, draft=definition, **more)


def test_a_login_of_a_draft_cannot_be_tried(publish: Publish, app: Gatehouse, attempt: Console, sql: Sql) -> None:
    route = publish(published=False)
    sql(
        "UPDATE gatehouse.api SET document = document || "
        """'{"type": "key_authentication", "models": [], "clients": []}' WHERE document->>'route' = %s""",
        route,
    )
    app.services.catalog.refresh()
    assert "publish it first" in texts(attempt.panel.get(attempt.address(route, "POST")))
    for run in ("test", "real"):
        assert attempt(route, "POST", status=400, run=run).tree.xpath("//*[@id='run-error']")


def test_calls_of_a_draft_are_in_neither_log_nor_statistics(
    publish: Publish, attempt: Console, app: Gatehouse, sql: Sql
) -> None:
    route = publish(published=False)
    assert attempt(route).status == 200
    app.services.recorder.flush()
    api_id = _id_of(app, route)
    assert sql("SELECT * FROM gatehouse.request_log WHERE api_id = %s", api_id) == []
    assert sql("SELECT * FROM gatehouse.rollup_minute WHERE api_id = %s", api_id) == []


def test_the_page_of_a_draft_leads_to_the_console(publish: Publish, attempt: Console, app: Gatehouse) -> None:
    api_id = _id_of(app, publish(published=False))
    page = attempt.panel.get(f"/admin/apis/{api_id}/")
    assert f'href="/admin/try/?target={api_id}">Try this draft' in page.text


# A record that is there.


def _filled(attempt: Console, route: str, method: str, suffix: str, caller: str = "me") -> Tried:
    address = f"{attempt.address(route, method, suffix)}&fill=1&caller={caller}"
    return Tried(attempt.panel.get(address))


def _value(tried: Tried, field: str) -> str:
    node = tried.tree.get_element_by_id(field)
    return str(node.text if node.tag == "textarea" else node.get("value")).strip()


def test_a_record_that_the_caller_finds_is_filled_in(
    publish: Publish, attempt: Console, records: list[int], app: Gatehouse
) -> None:
    route = publish(fields=("name", "count"), domain=[["id", "=", records[1]]])
    tried = _filled(attempt, route, "GET", "/{id}")
    assert attempt(route, "GET", "/{id}", path__id=_value(tried, "path-id")).body["result"]["name"] == "Second"


def test_of_an_update_the_present_values_are_filled_in(publish: Publish, attempt: Console, records: list[int]) -> None:
    route = publish(
        fields=("name", "count", "partner_id"), writable_fields=["name", "partner_id"], domain=[["id", "in", records]],
        id_obfuscation=False,
    )  # fmt: skip
    one = _filled(attempt, route, "PATCH", "/{id}")
    assert json.loads(_value(one, "body")) == {"name": "First"}
    many = json.loads(_value(_filled(attempt, route, "PATCH", ""), "body"))
    assert many == [{"id": records[0], "name": "First"}, {"id": records[1], "name": "Second"}]
    assert attempt(route, "PATCH", "", body=json.dumps(many)).status == 200


def test_what_is_filled_in_can_be_sent(publish: Publish, attempt: Console, records: list[int]) -> None:
    route = publish(domain=[["id", "in", records]])
    for method, suffix in (("GET", "/bulk"), ("DELETE", ""), ("DELETE", "/{id}"), ("PATCH", "/{id}")):
        page = attempt.panel.get(f"{attempt.address(route, method, suffix)}&fill=1")
        answer = attempt.panel.submit(page, "", "#answer")
        assert Tried(answer).status == 200, (method, suffix)


def test_a_caller_finds_no_more_than_they_may(publish: Publish, attempt: Console, records: list[int]) -> None:
    for route, caller, said in (
        (publish(domain=[["id", "in", records]]), "public", "No record: this caller is refused here."),
        (publish("ir.sequence", authentication="public"), "me", "No record: "),
        (publish(domain=[["id", "=", 0]]), "me", "The caller finds no record."),
    ):
        page = _filled(attempt, route, "GET", "/{id}", caller)
        assert said in page.text
        assert _value(page, "path-id") == ""


def test_an_endpoint_without_records_has_nothing_to_fill_in(publish: Publish, attempt: Console) -> None:
    page = attempt.panel.get(attempt.address(publish(), "POST"))
    assert "Fill in a record" not in page.text


# A call of the log, again.


@pytest.fixture
def again(attempt: Console, app: Gatehouse, sql: Sql) -> Callable[[Any], Tried]:
    """Return the console with what the log has kept of the call that led to an answer."""

    def run(answer: Any) -> Tried:
        app.services.recorder.flush()
        return Tried(attempt.panel.get(f"/admin/try/?log={answer.headers['X-Request-ID']}"))

    return run


def test_a_call_of_the_log_is_filled_in_to_be_tried_again(
    publish: Publish, admin: Client, again: Callable[[Any], Tried], attempt: Console
) -> None:
    route = publish(log_bodies=True, masked_fields=["name"], fields=("name", "count"))
    failed = admin("PATCH", f"{route}/no-such-id", json={"name": "secret", "count": 5})
    assert failed.status_code == 404
    tried = again(failed)
    assert _value(tried, "path-id") == "no-such-id"
    assert json.loads(_value(tried, "body")) == {"name": "***", "count": 5}
    assert "stands there as ***: fill it in" in tried.text
    assert tried.tree.xpath("//select[@id='caller']/option[@selected]/@value") == ["me"]
    assert Tried(attempt.panel.submit(tried.page, "", "#answer")).status == 404


def test_the_parameters_of_a_search_in_its_body_are_filled_in(
    publish: Publish, admin: Client, again: Callable[[Any], Tried]
) -> None:
    route = publish(log_bodies=True)
    tried = again(admin("GET", route, json={"domain": [["name", "=", "x"]], "limit": 3}))
    assert _value(tried, "query-limit") == "3"
    assert json.loads(_value(tried, "query-domain")) == [["name", "=", "x"]]


def test_the_query_of_a_search_is_filled_in_and_what_was_masked_said(
    publish: Publish, admin: Client, again: Callable[[Any], Tried]
) -> None:
    route = publish(log_bodies=True, masked_fields=["name"])
    tried = again(admin("GET", route, query_string={"domain": '[["name", "=", "x"]]', "limit": "0x"}))
    assert _value(tried, "query-limit") == "0x"
    assert json.loads(_value(tried, "query-domain")) == [["name", "=", "***"]]
    assert "stands there as ***: fill it in" in tried.text


def test_what_the_log_did_not_keep_is_said(publish: Publish, demo: Client, again: Callable[[Any], Tried]) -> None:
    tried = again(demo("POST", publish(), json={"name": "x"}))
    assert "The log has no body of it" in tried.text
    assert "Somebody else called: you call as yourself" in tried.text


def test_the_public_and_callers_nobody_knows_are_tried_as_the_public(
    publish: Publish, anyone: Client, again: Callable[[Any], Tried]
) -> None:
    for route in (publish(authentication="public"), publish()):
        tried = again(anyone("GET", route))
        assert tried.tree.xpath("//select[@id='caller']/option[@selected]/@value") == ["public"]


def test_a_request_id_that_a_client_chose_leads_to_the_call_that_is_meant(
    publish: Publish, admin: Client, attempt: Console, app: Gatehouse, sql: Sql
) -> None:
    route = publish(fields=("name",))
    for suffix in ("/one", "/two"):
        admin("GET", f"{route}{suffix}", headers={"X-Request-ID": "chosen"})
    app.services.recorder.flush()
    ((call_id,),) = sql("SELECT call_id FROM gatehouse.request_log WHERE path = %s", f"{route}/one")
    page = attempt.panel.get("/admin/log/chosen?call=" + call_id)
    (again,) = html.fromstring(page.text).xpath("//a[text()='Try again']/@href")
    assert _value(Tried(attempt.panel.get(again)), "path-id") == "one"


def _offers(attempt: Console, answer: Any) -> list[str]:
    """Return the addresses of the buttons to try the call again that led to an answer."""
    attempt.app.services.recorder.flush()
    page = attempt.panel.get(f"/admin/log/{answer.headers['X-Request-ID']}")
    return [str(address) for address in html.fromstring(page.text).xpath("//a[text()='Try again']/@href")]


def test_a_query_is_tried_again_as_the_search_that_it_is(publish: Publish, admin: Client, attempt: Console) -> None:
    failed = admin("QUERY", publish(log_bodies=True), json={"domain": [["name", "=", "x"]], "limit": "0x"})
    assert failed.status_code == 400
    (again,) = _offers(attempt, failed)
    tried = Tried(attempt.panel.get(again))
    assert json.loads(_value(tried, "query-domain")) == [["name", "=", "x"]]
    assert _value(tried, "query-limit") == "0x"


def test_what_the_console_cannot_send_is_not_offered(publish: Publish, admin: Client, attempt: Console) -> None:
    route = publish(fields=("name", "picture"))
    assert _offers(attempt, admin("GET", f"{route}/nothing"))
    failed = admin("GET", f"/api/image/{_id_of(attempt.app, route)}/test.record/nothing/picture")
    assert failed.status_code == 404
    assert _offers(attempt, failed) == []


def test_a_call_that_is_not_in_the_log_is_a_page_that_says_so(attempt: Console) -> None:
    for name in ("nothing", "%00", "'"):
        assert "There is no such page" in texts(attempt.panel.get(f"/admin/try/?log={name}", 404))


# The whole command.


def test_commands_say_how_to_log_in(publish: Publish, attempt: Console, database: str) -> None:
    tried = attempt(publish())
    password, key = (tried.tree.get_element_by_id(f"program-{number}").text for number in (1, 2))
    assert f'{{"db": "{database}", "login": "admin", "password": "YOUR_PASSWORD"}}' in password
    assert "http://localhost/web/session/authenticate" in password
    assert "-b cookies.txt" in password
    assert "Authorization: Bearer YOUR_API_KEY" in key


def test_commands_of_a_public_api_need_no_login(publish: Publish, attempt: Console) -> None:
    route = publish(authentication="public")
    command = attempt(route).tree.get_element_by_id("program-1").text
    assert command == f"curl \\\n  http://localhost{route}"
