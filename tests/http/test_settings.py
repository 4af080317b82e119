"""The settings that hold for all APIs: saved in the panel, in force at once and everywhere."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.definitions.system import SystemSettings
from app.web.routing import Gatehouse
from tests.http.conftest import Client, Publish, Sql
from tests.http.panel import Panel, errors_of, texts

PAGE = "/admin/settings/system"


@pytest.fixture
def panel(app: Gatehouse, admin: Client, sql: Sql) -> Iterator[Panel]:
    """An administrator in front of the panel; the settings are as before after the test."""
    before = sql("SELECT key, value::text FROM gatehouse.setting")
    sql("DELETE FROM gatehouse.history")
    yield Panel(admin)
    for key, value in before:
        sql("UPDATE gatehouse.setting SET value = %s::jsonb WHERE key = %s", value, key)
    app.services.catalog.refresh()


def test_what_was_changed_is_in_the_history_with_before_and_after_and_who_did_it(panel: Panel, sql: Sql) -> None:
    answer = panel.send(PAGE, log_retention_days="30", max_body_size="5000")
    assert "within a second" in texts(panel.follow(answer))
    assert sql("SELECT actor, name, before->'value', after->'value' FROM gatehouse.history ORDER BY name") == [
        ("admin", "log_retention_days", 90, 30),
        ("admin", "max_body_size", None, 5000),
    ]
    said = texts(panel.get("/admin/audit/definitions"))
    assert "value: 90 → 30" in said
    assert "value: – → 5000" in said
    assert 'value="30"' in panel.get(PAGE).text


@pytest.mark.parametrize(
    ("field", "value"),
    [("log_retention_days", "0"), ("log_retention_days", "x"), ("log_retention_days", ""), ("log_body_size", "1"),
     ("log_body_size", "99999999"), ("max_body_size", "-1"), ("max_body_size", "2000001"), ("max_body_size", "1" * 30),
     ("login_tries_per_minute", "2"), ("login_tries_per_minute", "61"), ("login_tries_per_hour", "9"),
     ("address_tries_per_minute", "1e9"), ("account_tries_per_hour", "4")],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_shown_at_its_field_and_nothing_is_saved(
    panel: Panel, sql: Sql, field: str, value: str
) -> None:
    answer = panel.send(PAGE, **{"log_body_size": "9999", field: value})
    assert answer.status_code == 400
    assert errors_of(answer, field)
    assert sql("SELECT * FROM gatehouse.history") == []


def test_fewer_tries_are_taken_as_soon_as_it_is_saved(panel: Panel, app: Gatehouse, database: str) -> None:
    def tries(address: str) -> list[int]:
        guess = {"db": database, "login": "nobody", "password": "guess"}
        stranger, place = Client(app), {"REMOTE_ADDR": address}
        return [
            stranger("POST", "/web/session/authenticate", json=guess, environ_overrides=place).status_code
            for _ in range(5)
        ]

    assert tries("192.0.2.81") == [200] * 5
    panel.follow(panel.send(PAGE, login_tries_per_minute="3"))
    assert tries("192.0.2.82") == [200] * 3 + [429] * 2


def test_what_another_worker_saved_is_in_force_within_a_second(panel: Panel, app: Gatehouse, sql: Sql) -> None:
    panel.get(PAGE)  # the catalog is watched from the first request on
    sql("UPDATE gatehouse.setting SET value = '77' WHERE key = 'account_tries_per_hour'")
    deadline = time.monotonic() + 1
    while app.services.catalog.snapshot.system.account_tries_per_hour != 77:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_body_above_the_limit_of_the_settings_is_413_but_in_the_panel(
    panel: Panel, demo: Client, publish: Publish
) -> None:
    route = publish()
    panel.follow(panel.send(PAGE, max_body_size="2000"))
    long = {"name": "x" * 3000}
    assert demo.refusal("POST", route, json=long) == (413, "request_entity_too_large")
    demo.result("POST", route, json={"name": "x"})
    assert panel.send("/admin/files/", "/preview", text=f"apis: [] # {'x' * 3000}").status_code == 200
    panel.follow(panel.send(PAGE, max_body_size=""))
    demo.result("POST", route, json=long)


def test_every_setting_has_its_row_from_the_migration_on_and_the_value_that_code_without_it_has(
    panel: Panel, sql: Sql
) -> None:
    stored = dict(sql("SELECT key, value FROM gatehouse.setting"))
    assert {name: stored[name] for name in SystemSettings.model_fields} == SystemSettings().model_dump()


def test_what_sql_has_written_and_cannot_be_has_its_default(app: Gatehouse) -> None:
    stored = {"log_retention_days": "x", "login_tries_per_minute": 20, "account_tries_per_hour": -5, "unknown": 1}
    assert SystemSettings.of(stored) == SystemSettings(login_tries_per_minute=20)
    assert SystemSettings.of({"address_tries_per_minute": 500, "address_tries_per_hour": 100}) == SystemSettings()
