"""When tokens were last used."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from app.analytics.token_use import TokenUse
from app.web.routing import Gatehouse
from tests.http.conftest import Client
from tests.http.panel import Panel, texts

Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def token(app: Gatehouse, anyone: Client, sql: Sql) -> Iterator[str]:
    """A token of a client app `Clock`."""
    made = app.test_cli_runner().invoke(args=["client", "create", "Clock", "--user", "demo", "--json"])
    app.services.catalog.refresh()
    credentials = {name: json.loads(made.output)[name] for name in ("client_id", "client_secret")}
    yield anyone("POST", "/api/oauth2/token", data=credentials).json["access_token"]
    sql("DELETE FROM gatehouse.client WHERE name = 'Clock'")


@pytest.fixture
def call(app: Gatehouse, anyone: Client, publish: Publish, token: str) -> Callable[[], int]:
    """Call an API with the token and return the status."""
    route = publish(statistics=False, clients=["Clock"])
    return lambda: anyone("GET", route, headers={"Authorization": f"Bearer {token}"}).status_code


def _age(sql: Sql) -> float | None:
    ((age,),) = sql("SELECT extract(epoch FROM now() - last_used_at)::float FROM gatehouse.token")
    return age


def test_the_last_use_of_a_token_is_shown_in_the_panel_and_by_the_command(
    app: Gatehouse, admin: Client, token: str, call: Callable[[], int], sql: Sql
) -> None:
    def said() -> tuple[str, str]:
        ((client_id,),) = sql("SELECT id FROM gatehouse.client WHERE name = 'Clock'")
        listed = app.test_cli_runner().invoke(args=["token", "list", "Clock"]).output
        return texts(Panel(admin).get(f"/admin/clients/{client_id}/")), listed

    page, listed = said()
    assert "Never" in page
    assert "never used" in listed
    assert call() == 200
    app.services.recorder.flush()
    page, listed = said()
    assert "Never" not in page
    assert f"last used {datetime.now(timezone.utc):%Y-%m-%d}" in listed
    assert token not in page + listed


def test_the_last_use_is_written_at_most_once_a_minute_whichever_worker_sees_the_token(
    app: Gatehouse, token: str, sql: Sql
) -> None:
    lookup = token.split("_")[1]
    for age, written in ((30, False), (90, True)):
        sql("UPDATE gatehouse.token SET last_used_at = now() - %s * interval '1 second'", age)
        another_worker = TokenUse()
        another_worker.note(lookup)
        another_worker.write(app.services.database)
        assert ((_age(sql) or 0) < 20) is written
    one = TokenUse()
    one.note(lookup)
    one.write(app.services.database)
    sql("UPDATE gatehouse.token SET last_used_at = NULL")
    one.note(lookup)  # within the minute
    one.write(app.services.database)
    assert _age(sql) is None


def test_a_token_that_opens_nothing_was_not_used(app: Gatehouse, token: str, call: Callable[[], int], sql: Sql) -> None:
    sql("UPDATE gatehouse.client SET active = false")
    assert call() == 401
    app.services.recorder.flush()
    assert _age(sql) is None


def test_what_could_not_be_written_is_written_later(app: Gatehouse, token: str, sql: Sql) -> None:
    uses = TokenUse()
    uses.note(token.split("_")[1])
    sql("ALTER TABLE gatehouse.token RENAME COLUMN last_used_at TO away")
    with pytest.raises(Exception, match="last_used_at"):
        uses.write(app.services.database)
    sql("ALTER TABLE gatehouse.token RENAME COLUMN away TO last_used_at")
    uses.write(app.services.database)
    assert (_age(sql) or 99) < timedelta(minutes=1).total_seconds()
