"""Deliveries in the database: what waits for its turn, what was tried, and what came of it.

Those of one record are in order: the next one waits until the one before has been delivered or given up.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.database import Cursor
from app.webhooks import store

#: What can have come of a delivery.
STATUSES = ("pending", "delivered", "failed", "superseded")
#: Seconds for which a delivery is tried, from its first attempt on.
PATIENCE = 3 * 24 * 3600
#: Seconds until the second attempt, the factor by which each wait is longer than the one before, and the longest.
_FIRST_WAIT, _FACTOR, _LONGEST_WAIT = 2.0, 3.0, 6 * 3600.0
#: Failures in a row after which a webhook is left alone for a time, and the longest such time in seconds.
_MANY, _LONGEST_HOLD = 10, 600.0
#: Seconds after which a record is looked for again that can't be seen at the moment, and after which no longer.
_UNSEEN_WAIT, _UNSEEN_PATIENCE = 10, 3600
_UNSEEN = "The record can't be seen at the moment."
#: Seconds after which a record that can't be read is read again.
_UNREAD_WAIT = 60
#: Seconds for which nobody else makes an attempt that has begun: more than a request may take (``Sender``).
_CLAIMED = 20
#: Deliveries that are deleted at once.
_DROPPED = 5000

#: A delivery whose record has none before it that waits.
_IS_NEXT = """
NOT EXISTS (
    SELECT FROM gatehouse.delivery b
    WHERE b.webhook_id = d.webhook_id AND b.record_id = d.record_id AND b.seq < d.seq AND b.status = 'pending'
)
"""
#: A delivery that is to be sent now, of a webhook that may be called.
DUE = f"d.status = 'pending' AND d.next_at <= now() AND {_IS_NEXT}"
MAY_RUN = "w.active AND coalesce(w.held_until <= now(), true)"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery: an event of a webhook, and what has come of it so far."""

    seq: int
    id: str
    webhook_id: str
    event: str
    record_id: int | None
    status: str
    attempts: int
    created_at: datetime
    next_at: datetime
    last_at: datetime | None
    milliseconds: int | None
    answer_status: int | None
    answer: str
    error: str


_COLUMNS = (
    "d.seq, d.id, d.webhook_id, d.event, d.record_id, d.status, d.attempts, d.created_at, d.next_at, d.last_at, "
    "d.milliseconds, d.answer_status, d.answer, d.error"
)


def wait_for(attempts: int) -> float:
    """Return the seconds until the next attempt, after so many have failed: growing, and each time other ones."""
    wait: float = min(_FIRST_WAIT * _FACTOR ** min(attempts - 1, 20), _LONGEST_WAIT)
    return wait * random.uniform(0.75, 1.25)  # noqa: S311  no secret


def hold_for(failures: int) -> float:
    """Return the seconds for which a webhook is left alone, after so many failures in a row."""
    if failures < _MANY:
        return 0.0
    hold: float = min(5.0 * 2 ** min(failures - _MANY, 10), _LONGEST_HOLD)
    return hold * random.uniform(0.75, 1.25)  # noqa: S311  no secret


def waiting(cr: Cursor) -> list[str]:
    """Return the webhooks that have something to be sent now."""
    cr.execute(
        f"SELECT w.id FROM gatehouse.webhook w WHERE {MAY_RUN} "
        f"AND EXISTS (SELECT FROM gatehouse.delivery d WHERE d.webhook_id = w.id AND {DUE})"
    )
    return [webhook for (webhook,) in cr.fetchall()]


def begin(cr: Cursor, webhook: str, run: str) -> None:
    """Note that a run sends the deliveries of a webhook from now on, and that no earlier one does."""
    cr.execute("UPDATE gatehouse.webhook SET run = %s WHERE id = %s AND active", (run, webhook))


def due(cr: Cursor, webhook: str, run: str, limit: int) -> list[Delivery]:
    """Return the deliveries of this moment: one of each record, and one alone where the last attempts have failed.

    None where another run has begun, or the webhook is off or left alone.
    """
    cr.execute(
        f"SELECT {_COLUMNS} FROM gatehouse.webhook w JOIN gatehouse.delivery d ON d.webhook_id = w.id "
        f"WHERE w.id = %s AND w.run = %s AND {MAY_RUN} AND {DUE} "
        # A test goes first, as somebody waits for it, and news go before what has failed often.
        "ORDER BY d.record_id IS NOT NULL, d.attempts, d.seq "
        f"LIMIT (SELECT CASE WHEN failures >= {_MANY} THEN 1 ELSE %s END FROM gatehouse.webhook WHERE id = %s)",
        (webhook, run, limit, webhook),
    )
    return [Delivery(*row) for row in cr.fetchall()]


def claim(cr: Cursor, delivery: Delivery, run: str) -> bool:
    """Begin an attempt; False where another run has begun meanwhile, or the webhook is off or left alone.

    A run that is taken for dead may wait for an answer still: so another one leaves that attempt alone for a time.
    """
    cr.execute(
        "UPDATE gatehouse.delivery d SET attempts = attempts + 1, last_at = clock_timestamp(), "
        "first_at = coalesce(first_at, clock_timestamp()), next_at = clock_timestamp() + %s * interval '1 second' "
        "FROM gatehouse.webhook w WHERE d.seq = %s AND d.status = 'pending' AND d.next_at <= clock_timestamp() "
        f"AND w.id = d.webhook_id AND w.run = %s AND {MAY_RUN}",
        (_CLAIMED, delivery.seq, run),
    )
    return bool(cr.rowcount)


def unclaim(cr: Cursor, delivery: Delivery) -> None:
    """Take an attempt back, of which nothing was sent: it has begun too late."""
    cr.execute(
        "UPDATE gatehouse.delivery SET attempts = %s, next_at = now() WHERE seq = %s AND status = 'pending'",
        (delivery.attempts, delivery.seq),
    )


def succeed(cr: Cursor, delivery: Delivery, outcome: Sequence[Any]) -> None:
    """Note that an attempt was answered well; ``outcome`` is milliseconds, status, answer and error."""
    store.lock(cr, delivery.webhook_id)
    _note(cr, delivery, "delivered", outcome, 0.0)
    cr.execute(
        "UPDATE gatehouse.webhook SET failures = 0, held_until = NULL WHERE id = %s AND failures > 0",
        (delivery.webhook_id,),
    )


def fail(cr: Cursor, delivery: Delivery, outcome: Sequence[Any], *, for_good: bool = False) -> bool:
    """Note that an attempt has failed; returns whether it is given up, as it is ``for_good`` or has been long tried."""
    store.lock(cr, delivery.webhook_id)
    cr.execute(
        "SELECT extract(epoch FROM clock_timestamp() - first_at) FROM gatehouse.delivery WHERE seq = %s",
        (delivery.seq,),
    )
    row = cr.fetchone()
    for_good = for_good or (row is not None and row[0] is not None and row[0] > PATIENCE)
    _note(cr, delivery, "failed" if for_good else "pending", outcome, wait_for(delivery.attempts + 1))
    cr.execute(
        "UPDATE gatehouse.webhook SET failures = failures + 1 WHERE id = %s RETURNING failures", (delivery.webhook_id,)
    )
    row = cr.fetchone()
    if row is not None and (hold := hold_for(row[0])):
        cr.execute(
            "UPDATE gatehouse.webhook SET held_until = clock_timestamp() + %s * interval '1 second' WHERE id = %s",
            (hold, delivery.webhook_id),
        )
    return for_good


def _note(cr: Cursor, delivery: Delivery, status: str, outcome: Sequence[Any], wait: float) -> None:
    cr.execute(
        "UPDATE gatehouse.delivery SET status = %s, milliseconds = %s, answer_status = %s, answer = %s, error = %s, "
        "next_at = clock_timestamp() + %s * interval '1 second' WHERE seq = %s AND status = 'pending'",
        (status, *outcome, wait, delivery.seq),
    )


def wait(cr: Cursor, delivery: Delivery, seconds: float) -> None:
    """Leave a delivery alone for a time; it was not tried."""
    cr.execute(
        "UPDATE gatehouse.delivery SET next_at = now() + %s * interval '1 second' WHERE seq = %s",
        (seconds, delivery.seq),
    )


def wait_for_sight(cr: Cursor, delivery: Delivery) -> None:
    """Leave a delivery alone whose record the client app can't see at the moment.

    What has hidden the record may not be told of yet: then it will be ``removed``, and this is not sent any more; or it
    is seen again before that.
    """
    cr.execute(
        "UPDATE gatehouse.delivery d SET error = %s, "
        "status = CASE WHEN created_at < now() - %s * interval '1 second' OR EXISTS ("
        "    SELECT FROM gatehouse.delivery l WHERE l.webhook_id = d.webhook_id AND l.seq > d.seq "
        "    AND l.record_id = d.record_id AND l.event = 'removed') "
        "THEN 'superseded' ELSE status END, "
        "next_at = now() + %s * interval '1 second' WHERE seq = %s AND status = 'pending'",
        (_UNSEEN, _UNSEEN_PATIENCE, _UNSEEN_WAIT, delivery.seq),
    )


def wait_for_reading(cr: Cursor, delivery: Delivery, error: str) -> None:
    """Leave a delivery alone whose record can't be read, which is tried for as long as to send it would be."""
    cr.execute(
        "UPDATE gatehouse.delivery SET error = %s, first_at = coalesce(first_at, now()), "
        "status = CASE WHEN first_at < now() - %s * interval '1 second' THEN 'failed' ELSE status END, "
        "next_at = now() + %s * interval '1 second' WHERE seq = %s AND status = 'pending'",
        (error[:1000], PATIENCE, _UNREAD_WAIT, delivery.seq),
    )


def of(cr: Cursor, webhook: str, *, limit: int, before: int | None = None, status: str | None = None) -> list[Delivery]:
    """Return deliveries of a webhook, the newest first: those before a ``seq``, and of a status."""
    cr.execute(
        f"SELECT {_COLUMNS} FROM gatehouse.delivery d WHERE d.webhook_id = %s AND (%s::bigint IS NULL OR d.seq < %s) "
        "AND (%s::text IS NULL OR d.status = %s) ORDER BY d.seq DESC LIMIT %s",
        (webhook, before, before, status, status, limit),
    )
    return [Delivery(*row) for row in cr.fetchall()]


def one(cr: Cursor, webhook: str, delivery: str) -> Delivery | None:
    """Return a delivery of a webhook by its id."""
    cr.execute(
        f"SELECT {_COLUMNS} FROM gatehouse.delivery d WHERE d.webhook_id = %s AND d.id = %s", (webhook, delivery)
    )
    row = cr.fetchone()
    return Delivery(*row) if row else None


def pending(cr: Cursor, webhook: str, event: str) -> str | None:
    """Return the id of a delivery of a webhook that waits, of an event."""
    query = "SELECT id FROM gatehouse.delivery WHERE webhook_id = %s AND event = %s AND status = 'pending' LIMIT 1"
    cr.execute(query, (webhook, event))
    row = cr.fetchone()
    return row[0] if row else None


def again(cr: Cursor, delivery: Delivery) -> None:
    """Have a delivery sent again, now and for as long as a new one.

    Behind one that tells that a record has gone the last one of the record is sent again too: it may be there again.
    """
    store.lock(cr, delivery.webhook_id)
    cr.execute(
        "UPDATE gatehouse.delivery SET status = 'pending', next_at = now(), first_at = NULL, attempts = 0 "
        "WHERE seq = %(seq)s OR %(gone)s AND seq = (SELECT max(seq) FROM gatehouse.delivery "
        "WHERE webhook_id = %(webhook)s AND record_id = %(record)s)",
        {
            "seq": delivery.seq,
            "gone": delivery.event == "removed",
            "webhook": delivery.webhook_id,
            "record": delivery.record_id,
        },
    )
    hurry(cr, delivery.webhook_id)


def hurry(cr: Cursor, webhook: str) -> None:
    """Leave a webhook alone no longer: somebody wants to see whether it works."""
    cr.execute("UPDATE gatehouse.webhook SET held_until = NULL WHERE id = %s", (webhook,))


def drop(cr: Cursor, days: int) -> bool:
    """Delete some of what was settled so many days ago; returns whether there may be more."""
    cr.execute(
        "DELETE FROM gatehouse.delivery WHERE seq IN (SELECT seq FROM gatehouse.delivery WHERE status <> 'pending' "
        "AND created_at < now() - %(days)s * interval '1 day' "
        "AND coalesce(last_at, created_at) < now() - %(days)s * interval '1 day' LIMIT %(most)s)",
        {"days": days, "most": _DROPPED},
    )
    return cr.rowcount == _DROPPED


def renew(cr: Cursor, webhook: str) -> None:
    """Have all that waits of a webhook sent now, and for as long as if it were new."""
    cr.execute(
        "UPDATE gatehouse.delivery SET first_at = NULL, next_at = now(), attempts = 0 "
        "WHERE webhook_id = %s AND status = 'pending'",
        (webhook,),
    )
    cr.execute("UPDATE gatehouse.webhook SET failures = 0, held_until = NULL WHERE id = %s", (webhook,))


def numbers(cr: Cursor, webhook: str | None = None) -> dict[str, int]:
    """Return the numbers of deliveries that wait, by webhook, of all or of one; those without any are left out."""
    cr.execute(
        "SELECT webhook_id, count(*) FROM gatehouse.delivery "
        "WHERE status = 'pending' AND (%s::text IS NULL OR webhook_id = %s) GROUP BY webhook_id",
        (webhook, webhook),
    )
    return dict(cr.fetchall())


def are_waiting(cr: Cursor, webhook: str, number: int) -> bool:
    """True if a webhook has so many deliveries that wait to be sent.

    Those are not counted whose records can't be seen: it may be among the events behind them that these have gone.
    """
    query = (
        "SELECT FROM gatehouse.delivery WHERE webhook_id = %s AND status = 'pending' AND error <> %s OFFSET %s LIMIT 1"
    )
    cr.execute(query, (webhook, _UNSEEN, number - 1))
    return bool(cr.rowcount)
