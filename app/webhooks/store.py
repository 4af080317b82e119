"""Webhooks in the database. Every function runs in the transaction that it is given."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extras import Json

from app.analytics import history
from app.database import Cursor
from app.operations.delta.answers import Event

#: Reasons of webhooks that somebody has switched off, the second with all of a database (data/neutralize.sql).
BY_HAND, OF_COPY = "It was switched off by hand.", "This is a copy of a database."
MEANT = (BY_HAND, OF_COPY)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Subject of a webhook: records of a model of an API, as a client app may see them.

    ``fields`` None stands for all that a delta shows; ``domain`` is in the client app's terms.
    """

    client_id: int
    api_id: int
    model: str
    fields: tuple[str, ...] | None
    domain: list[Any]

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the delta that tells of it."""
        return {} if self.fields is None else {"fields": list(self.fields)}


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook: whose it is, what it is told of, and how it does.

    ``secrets`` are sealed: its own, and the one of before while that is good too. ``token`` is the delta's up to which
    its events are among the deliveries; ``reason`` says why it is off, and ``failures`` how many attempts have failed
    since the last that did not.
    """

    id: str
    client_id: int
    client: str
    api_id: int
    api: str
    model: str
    url: str
    events: tuple[Event, ...]
    fields: tuple[str, ...] | None
    domain: list[Any]
    thin: bool
    secrets: tuple[str, ...]
    active: bool
    reason: str
    off_at: datetime | None
    token: str | None
    failures: int
    created_at: datetime

    @property
    def wanted(self) -> Wanted:
        """Its subject."""
        return Wanted(self.client_id, self.api_id, self.model, self.fields, self.domain)

    @property
    def is_failing(self) -> bool:
        """True if it is on, and the last attempt has failed."""
        return self.active and self.failures > 0

    @property
    def was_ended(self) -> bool:
        """True if it is off, and nobody has switched it off by hand."""
        return not self.active and self.reason not in MEANT


_SELECT = """
SELECT w.id, w.client_id, c.name, w.api_id, a.name, w.model, w.url, w.events, w.fields, w.domain, w.thin,
       array_remove(ARRAY[w.secret, CASE WHEN w.old_secret_until > now() THEN w.old_secret END], NULL),
       w.active, w.reason, w.off_at, w.token, w.failures, w.created_at
FROM gatehouse.webhook w JOIN gatehouse.client c ON c.id = w.client_id JOIN gatehouse.api a ON a.id = w.api_id
"""


def _of_row(row: Sequence[Any]) -> Webhook:
    events, fields, domain, thin, sealed = row[7:12]
    lists = [tuple(events), None if fields is None else tuple(fields), domain, thin, tuple(sealed)]
    return Webhook(*row[:7], *lists, *row[12:])


def one(cr: Cursor, webhook: str, client_id: int | None = None) -> Webhook | None:
    """Return a webhook; None where there is none, or it is another client app's than the one that is named."""
    query = f"{_SELECT} WHERE w.id = %s AND (%s::int IS NULL OR w.client_id = %s)"
    cr.execute(query, (webhook, client_id, client_id))
    row = cr.fetchone()
    return _of_row(row) if row else None


def every(cr: Cursor, client_id: int | None = None) -> list[Webhook]:
    """Return all webhooks, or those of one client app, the oldest first."""
    cr.execute(f"{_SELECT} WHERE %s::int IS NULL OR w.client_id = %s ORDER BY w.created_at, w.id", (client_id,) * 2)
    return [_of_row(row) for row in cr.fetchall()]


def count(cr: Cursor, client_id: int) -> int:
    """Return the number of a client app's webhooks, and let nobody else make one of its own meanwhile."""
    cr.execute("SELECT FROM gatehouse.client WHERE id = %s FOR UPDATE", (client_id,))
    cr.execute("SELECT count(*) FROM gatehouse.webhook WHERE client_id = %s", (client_id,))
    row = cr.fetchone()
    return int(row[0]) if row else 0


def new_id() -> str:
    """Return an id for a webhook, which tells nobody how many there are."""
    return f"hook_{secrets.token_urlsafe(12)}"


def lock(cr: Cursor, webhook: str) -> None:
    """Lock the row of a webhook, which all who change it and its deliveries do first: so none waits for another."""
    cr.execute("SELECT FROM gatehouse.webhook WHERE id = %s FOR NO KEY UPDATE", (webhook,))


def insert(cr: Cursor, values: Mapping[str, Any]) -> None:
    """Insert a webhook: the values of its columns."""
    columns, row = ", ".join(values), [_value(name, value) for name, value in values.items()]
    cr.execute(f"INSERT INTO gatehouse.webhook ({columns}) VALUES ({', '.join(['%s'] * len(row))})", row)


def update(cr: Cursor, webhook: str, values: Mapping[str, Any]) -> None:
    """Change a webhook: the values of the columns that are named."""
    row = [_value(name, value) for name, value in values.items()]
    assignments = ", ".join(f"{name} = %s" for name in values)
    cr.execute(f"UPDATE gatehouse.webhook SET {assignments} WHERE id = %s", (*row, webhook))


def _value(name: str, value: Any) -> Any:
    if name == "domain":
        return Json(value)
    return list(value) if isinstance(value, (tuple, frozenset)) else value


def rotate(cr: Cursor, webhook: str, sealed: str, overlap: int) -> None:
    """Give a webhook another secret; the one of before signs too for some seconds."""
    cr.execute(
        "UPDATE gatehouse.webhook SET secret = %s, old_secret = secret, "
        "old_secret_until = now() + %s * interval '1 second' WHERE id = %s",
        (sealed, overlap, webhook),
    )


def remove(cr: Cursor, webhook: str) -> None:
    """Delete a webhook with its deliveries."""
    cr.execute("DELETE FROM gatehouse.webhook WHERE id = %s", (webhook,))


def switch_off(cr: Cursor, webhook: str, reason: str) -> None:
    """Switch a webhook off, for the history and the log to tell; one that is off stays as it is.

    What waits to be sent waits on.
    """
    cr.execute(
        "UPDATE gatehouse.webhook w SET active = false, reason = %s, off_at = now(), run = NULL "
        "FROM gatehouse.client c WHERE w.id = %s AND w.active AND c.id = w.client_id RETURNING c.name",
        (reason, webhook),
    )
    if row := cr.fetchone():
        name, after = f"{row[0]}: {webhook}", {"active": False, "reason": reason}
        history.note(cr, actor="Gatehouse", kind="webhook", name=name, before={"active": True}, after=after)
        _logger.warning("Webhook %s of %s is switched off: %s", webhook, row[0], reason)


def followed(cr: Cursor) -> dict[str, frozenset[str]]:
    """Return the webhooks that are on, each with the tables whose changes it may be told of."""
    cr.execute("SELECT id, tables FROM gatehouse.webhook WHERE active")
    return {webhook: frozenset(tables) for webhook, tables in cr.fetchall()}


def go_on(
    cr: Cursor,
    webhook: Webhook,
    token: str,
    tables: Collection[str],
    events: Iterable[tuple[int | None, str]],
    gone: Collection[int] | None = (),
) -> bool:
    """Add events to the deliveries of a webhook, and store that it is further; False where that was done already.

    ``gone`` are records that have gone without an event, so that nothing of them has to be told any more; None stands
    for all: their receiver is to read everything anew, and would take what is older than that for newer.
    """
    cr.execute(
        "UPDATE gatehouse.webhook SET token = %s, tables = %s "
        "WHERE id = %s AND active AND token IS NOT DISTINCT FROM %s AND events = %s",
        (token, list(tables), webhook.id, webhook.token, list(webhook.events)),
    )
    if not cr.rowcount:
        return False
    supersede(cr, webhook.id, gone)
    found = list(events)
    cr.execute(
        "INSERT INTO gatehouse.delivery (id, webhook_id, record_id, event) "
        "SELECT id, %s, record_id, event "
        "FROM unnest(%s::text[], %s::bigint[], %s::text[]) WITH ORDINALITY AS e(id, record_id, event, n) ORDER BY n",
        (webhook.id, [_message() for _ in found], [each[0] for each in found], [each[1] for each in found]),
    )
    return True


def supersede(cr: Cursor, webhook: str, records: Collection[int] | None = None) -> None:
    """Send nothing any more of what waits about some records, or about any."""
    cr.execute(
        "UPDATE gatehouse.delivery SET status = 'superseded' "
        "WHERE webhook_id = %s AND record_id = ANY(coalesce(%s::bigint[], ARRAY[record_id])) AND status = 'pending'",
        (webhook, None if records is None else list(records)),
    )


def add(cr: Cursor, webhook: str, event: str) -> str:
    """Add an event about no record to the deliveries of a webhook; returns its id."""
    message = _message()
    cr.execute("INSERT INTO gatehouse.delivery (id, webhook_id, event) VALUES (%s, %s, %s)", (message, webhook, event))
    return message


def _message() -> str:
    return f"msg_{secrets.token_urlsafe(18)}"
