"""Metrics that are added up over the workers, and a log in which every line is JSON."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from dev.testbed import Testbed
from tests.server.conftest import Server, in_odoo, serving, wait_for_lock, wait_until

pytestmark = pytest.mark.live
TOKEN = "an ops person's token"
API = "/api/partner/rest"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def observed(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with all that ops can switch on; a call is slow from 0.4 s on."""
    log = tmp_path_factory.mktemp("observed") / "gunicorn.log"
    settings = {"METRICS_TOKEN": TOKEN, "LOG_FORMAT": "json", "ACCESS_LOG": "true", "SLOW_CALL": "0.4"}
    settings["HOSTS"] = "127.0.0.1, .example.com"
    named = {f"GATEHOUSE_{name}": value for name, value in settings.items()}
    with serving(testbed, f"gatehouse_observed_{os.getpid()}", log, **named) as server:
        yield server


@pytest.fixture
def value(observed: Server) -> Callable[..., float]:
    """Return the value of a metric, 0 where it was never counted."""

    def read(name: str, **labels: str) -> float:
        answer = requests.get(f"{observed.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
        assert answer.status_code == 200, answer.text
        samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
        return sum(sample.value for sample in samples if sample.name == name and sample.labels == labels)

    return read


@pytest.fixture
def blocked(observed: Server, testbed: Testbed, request: pytest.FixtureRequest) -> Iterator[Callable[[], None]]:
    """A change of a partner that waits for a lock; the function lets it go on, and waits for its answer.

    Its request's id is the name of the test.
    """
    session = observed.session()
    record = session.post(f"{observed.url}{API}", json={"name": "blocked"}).json()["result"]
    outside = testbed.server.connect(observed.database)
    outside.autocommit = False
    with outside.cursor() as cursor:
        cursor.execute("SELECT 1 FROM res_partner WHERE name = 'blocked' FOR UPDATE")
    answers: list[requests.Response] = []
    path = f"{observed.url}{API}/{record['id']}"
    headers = {"X-Request-ID": request.node.name}
    thread = threading.Thread(
        target=lambda: answers.append(session.patch(path, json={"phone": "1"}, headers=headers, timeout=30))
    )
    thread.start()
    wait_for_lock(testbed, observed)

    def go_on() -> None:
        outside.rollback()
        thread.join()
        assert answers[0].status_code == 200, answers[0].text

    yield go_on
    outside.rollback()
    outside.close()
    thread.join()
    session.delete(path)


def _lines(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.log.read_text().splitlines()]


def test_calls_are_added_up_over_all_workers(observed: Server, value: Callable[..., float]) -> None:
    cookies = observed.session().cookies
    labels = {"api": "Partners", "endpoint": f"GET {API}"}

    def counted() -> list[float]:
        return [
            value("gatehouse_calls_total", status="200", **labels),
            value("gatehouse_call_seconds_count", api="Partners"),
            value("gatehouse_requests_total", part="rest", status="200"),
            value("gatehouse_credentials_total", kind="session", result="good"),
        ]

    before = counted()

    def call() -> None:
        for _ in range(20):  # a connection each, so that both workers are asked
            assert requests.get(f"{observed.url}{API}?limit=1", cookies=cookies, timeout=10).ok

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted() == [count + 60 for count in before]
    assert value("gatehouse_requests_in_flight") == 1


@pytest.mark.parametrize(
    ("kind", "token"),
    [("token", "wrong"), ("token", f"gha_{'a' * 16}_{'b' * 43}"), ("api_key", "0" * 40)],
)
def test_wrong_credentials_are_counted(observed: Server, value: Callable[..., float], kind: str, token: str) -> None:
    before = value("gatehouse_credentials_total", kind=kind, result="wrong")
    answer = requests.get(f"{observed.url}{API}", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 401
    assert value("gatehouse_credentials_total", kind=kind, result="wrong") == before + 1


def test_logins_and_client_secrets_are_counted(observed: Server, value: Callable[..., float]) -> None:
    def counted() -> list[float]:
        kinds = ("password", "client_secret")
        return [value("gatehouse_credentials_total", kind=kind, result="wrong") for kind in kinds]

    before = counted()
    params = {"db": observed.database, "login": "nobody", "password": "wrong"}
    requests.post(f"{observed.url}/web/session/authenticate", json={"params": params, "jsonrpc": "2.0"}, timeout=10)
    form = {"client_id": "nobody", "client_secret": "wrong"}
    assert requests.post(f"{observed.url}/api/oauth2/token", data=form, timeout=10).status_code == 401
    assert counted() == [count + 1 for count in before]


def test_a_call_in_flight_and_its_connection_are_seen(blocked: Callable[[], None], value: Callable[..., float]) -> None:
    wait_until(lambda: value("gatehouse_database_connections", pool="odoo", state="used") == 1, 30)
    assert value("gatehouse_requests_in_flight") == 2
    blocked()
    wait_until(lambda: value("gatehouse_database_connections", pool="odoo", state="used") == 0, 30)
    wait_until(lambda: value("gatehouse_database_connections", pool="odoo", state="idle") >= 1, 30)
    wait_until(lambda: value("gatehouse_requests_in_flight") == 1, 30)


def test_a_retry_after_a_serialization_failure_is_counted(
    observed: Server, testbed: Testbed, value: Callable[..., float]
) -> None:
    before = value("gatehouse_transaction_retries_total")
    session = observed.session()
    record = session.post(f"{observed.url}{API}", json={"name": "contended"}).json()["result"]
    outside = testbed.server.connect(observed.database)
    outside.autocommit = False
    with outside.cursor() as cursor:
        cursor.execute("UPDATE res_partner SET email = 'x' WHERE name = 'contended'")
        thread = threading.Thread(
            target=lambda: session.patch(f"{observed.url}{API}/{record['id']}", json={"phone": "1"}, timeout=30)
        )
        thread.start()
        wait_for_lock(testbed, observed)
        outside.commit()
    thread.join()
    outside.close()
    assert value("gatehouse_transaction_retries_total") == before + 1


def test_a_reload_of_the_registry_and_of_the_catalog_is_counted(
    observed: Server, testbed: Testbed, value: Callable[..., float]
) -> None:
    def counted() -> float:
        return value("gatehouse_registry_reloads_total")

    before, catalog = counted(), value("gatehouse_catalog_reloads_total")
    in_odoo(testbed, observed.database, "registry.registry_invalidated = True")
    wait_until(lambda: counted() >= before + 2, 20)  # in each worker
    wait_until(lambda: value("gatehouse_catalog_reloads_total") >= catalog + 2, 30)


def test_rows_of_the_log_that_wait_are_seen_and_so_is_the_connection_that_writes_them(
    observed: Server, testbed: Testbed, value: Callable[..., float]
) -> None:
    def used() -> float:
        return value("gatehouse_database_connections", pool="own", state="used")

    wait_until(lambda: used() == 0, 30)  # what has logged the calls of other tests is kept for a while
    outside = testbed.server.connect(observed.database)
    outside.autocommit = False
    with outside.cursor() as cursor:
        cursor.execute("LOCK TABLE gatehouse.request_log IN ACCESS EXCLUSIVE MODE")
        for _ in range(8):
            requests.get(f"{observed.url}{API}", timeout=10)
        wait_until(lambda: used() >= 1, 30)
        wait_until(lambda: value("gatehouse_log_queue_rows") >= 1, 30)
    outside.rollback()
    outside.close()
    wait_until(lambda: used() == 0, 30)
    wait_until(lambda: value("gatehouse_log_queue_rows") == 0, 30)


def test_answers_of_503_are_counted_by_reason(observed: Server, testbed: Testbed, value: Callable[..., float]) -> None:
    before = value("gatehouse_unavailable_total", reason="database_unavailable")
    cookies = observed.session().cookies  # who sends no credentials is refused without a look at the database
    with psycopg2.connect(testbed.dsn("postgres")) as connection, connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{observed.database}" ALLOW_CONNECTIONS false')
        connection.commit()
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (observed.database,)
        )
        status = requests.get(f"{observed.url}{API}", cookies=cookies, timeout=10).status_code
        ready = value("gatehouse_ready")
        cursor.execute(f'ALTER DATABASE "{observed.database}" ALLOW_CONNECTIONS true')
        connection.commit()
    connection.close()
    assert (status, ready) == (503, 0)
    wait_until(lambda: requests.get(f"{observed.url}/readyz", timeout=10).ok, 30)
    assert value("gatehouse_unavailable_total", reason="database_unavailable") == before + 1


def test_without_a_token_in_the_settings_there_are_no_metrics(server: Server) -> None:
    for header in ("Bearer ", "Bearer None", ""):
        answer = requests.get(f"{server.url}/metrics", headers={"Authorization": header}, timeout=10)
        assert answer.status_code == 404


def test_a_slow_call_says_how_long_the_database_took(
    observed: Server, blocked: Callable[[], None], request: pytest.FixtureRequest
) -> None:
    time.sleep(0.5)
    blocked()

    def found() -> list[dict[str, Any]]:
        slow = [line for line in _lines(observed) if line["logger"] == "gatehouse.slow"]
        return [line for line in slow if line["request_id"] == request.node.name]

    wait_until(found, 30)
    (line,) = found()
    assert (line["level"], line["method"], line["status"]) == ("WARNING", "PATCH", 200)
    assert line["seconds"] >= line["sql_seconds"] >= 0.4
    assert line["sql_statements"] >= 3


def test_every_line_of_the_log_is_json_also_those_of_gunicorn(observed: Server) -> None:
    path = f"{API}/%0Aforged"
    headers = {"X-Request-ID": "req-7", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    answer = requests.get(f"{observed.url}{path}?secret=1", headers=headers, timeout=10)
    assert answer.headers["X-Request-ID"] == "req-7"
    lines = _lines(observed)
    (line,) = [line for line in lines if line.get("trace_id") == TRACE]
    assert (line["logger"], line["request_id"], line["parent_id"]) == ("gatehouse.access", "req-7", "00f067aa0ba902b7")
    assert (line["path"], line["status"]) == (f"{API}/\nforged", 401)
    assert "secret" not in json.dumps(line)
    assert any(line["logger"] == "gunicorn.error" and "Listening" in line["message"] for line in lines)


def test_a_malformed_trace_is_ignored(observed: Server) -> None:
    headers = {"X-Request-ID": "req-8", "traceparent": f"00-{TRACE}-xyz-01"}
    requests.get(f"{observed.url}{API}", headers=headers, timeout=10)
    (line,) = [line for line in _lines(observed) if line.get("request_id") == "req-8"]
    assert line["trace_id"] == "req-8"


def test_a_request_that_is_addressed_to_another_host_is_refused(observed: Server) -> None:
    def status(path: str, host: str) -> int:
        return requests.get(f"{observed.url}{path}", headers={"Host": host}, timeout=10).status_code

    metadata = "/.well-known/oauth-authorization-server"
    for host, expected in (("API.example.com:8443", 200), ("example.com", 200), ("evil.example", 400), ("x_y", 400)):
        assert status(metadata, host) == expected, host
    assert status("/admin/", "evil.example") == 400
    assert status("/readyz", "10.0.0.1") == 200


def test_no_header_says_where_the_server_is_mounted_or_that_it_is_https(observed: Server) -> None:
    headers = {"SCRIPT_NAME": "/x", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/x"}
    assert requests.get(f"{observed.url}/x/healthz", headers=headers, timeout=10).status_code == 404
    answer = requests.get(f"{observed.url}/.well-known/oauth-authorization-server", headers=headers, timeout=10)
    assert answer.json()["issuer"] == observed.url
