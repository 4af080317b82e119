"""Figures of webhooks, over rows that nobody delivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg2.extras import Json

from app.database import Cursor
from app.web.routing import Gatehouse
from app.webhooks.figures import Figures
from app.webhooks.store import BY_HAND, OF_COPY


@pytest.fixture
def cr(app: Gatehouse) -> Iterator[Cursor]:
    """A transaction that is taken back."""
    connection = app.services.database.connect()
    with connection.cursor() as cr:
        cr.execute("DELETE FROM gatehouse.webhook; DELETE FROM gatehouse_jobs.procrastinate_workers")
        yield cr
    app.services.database.close(connection)


@pytest.fixture
def webhook(cr: Cursor) -> Callable[..., None]:
    """Maker of webhooks, each with the seconds since its deliveries have been due and the records that they are of."""
    document = Json({"name": "Figures", "route": "/api/figures", "published": False})
    cr.execute("INSERT INTO gatehouse.api (document) VALUES (%s) RETURNING id", [document])
    (api,) = cr.fetchone() or ()
    cr.execute("INSERT INTO gatehouse.client (name, public_id, scopes) VALUES ('Figures', 'f', '{}') RETURNING id")
    (client,) = cr.fetchone() or ()

    def make(identifier: str, *due: tuple[float, int], **values: Any) -> None:
        row = {"id": identifier, "client_id": client, "api_id": api, "model": "m", "url": "u", "events": ["updated"]}
        row |= {"secret": "s", **values}
        held = row.pop("held", None)
        cr.execute(
            f"INSERT INTO gatehouse.webhook ({', '.join(row)}, held_until) "
            f"VALUES ({', '.join(['%s'] * len(row))}, now() + %s * interval '1 s')",
            (*row.values(), held),
        )
        for number, (seconds, record) in enumerate(due):
            cr.execute(
                "INSERT INTO gatehouse.delivery (id, webhook_id, event, record_id, next_at) "
                "VALUES (%s, %s, 'updated', %s, now() - %s * interval '1 s')",
                (f"{identifier} {number}", identifier, record, seconds),
            )

    return make


def figures(cr: Cursor) -> dict[str, float]:
    """Return the figures by their names, or their states."""
    samples = [each for metric in Figures(lambda work: work(cr)).collect() for each in metric.samples]
    return {each.labels.get("state", each.name.removeprefix("gatehouse_webhook_")): each.value for each in samples}


def test_without_webhooks_all_is_zero(cr: Cursor) -> None:
    assert set(figures(cr).values()) == {0}


def test_states_are_counted_and_a_copys_are_off_by_hand(cr: Cursor, webhook: Callable[..., None]) -> None:
    webhook("on")
    for number in range(2):
        webhook(f"failing {number}", failures=1 + number)
    webhook("off", active=False, reason="Its receiver answered 410: it wants no more.", failures=5)
    for number, reason in enumerate((BY_HAND, OF_COPY, BY_HAND)):
        webhook(f"by hand {number}", active=False, reason=reason)
    found = figures(cr)
    assert [found[state] for state in ("on", "failing", "off", "off_by_hand")] == [1, 2, 1, 3]


def test_only_what_could_be_sent_is_due_and_since_it_could(cr: Cursor, webhook: Callable[..., None]) -> None:
    webhook("off", (9000, 1), active=False)
    webhook("left alone", (8000, 1), held=60)
    webhook("tried again later", (-60, 1), (7000, 1), (-60, 2))
    assert (figures(cr)["due_seconds"], figures(cr)["events_waiting"]) == (0, 4)
    webhook("left alone until a moment ago", (6000, 1), held=-5)
    assert figures(cr)["due_seconds"] == pytest.approx(5)
    webhook("behind", (200, 1), (300, 2))
    assert figures(cr)["due_seconds"] == pytest.approx(300)


def test_processes_without_a_sign_of_life_are_none(cr: Cursor) -> None:
    cr.execute(
        "INSERT INTO gatehouse_jobs.procrastinate_workers (last_heartbeat) "
        "SELECT now() - s * interval '1 s' FROM unnest(ARRAY[0, 5, 11, 4000]) AS s"
    )
    assert figures(cr)["processes"] == 2


def test_all_else_is_told_where_the_database_is_away(caplog: pytest.LogCaptureFixture) -> None:
    def read(work: Callable[[Any], Any]) -> Any:
        raise OSError("away")

    assert list(Figures(read).collect()) == []
    assert "The figures of webhooks can't be read" in caplog.text
