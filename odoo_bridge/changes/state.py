"""State of the capture: what is noted since when, and up to where all that was committed can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from odoo_bridge.changes.needs import Needs
from odoo_bridge.transaction import Environment

#: Seconds by which the clocks of transactions may be wrong.
_MARGIN = 60.0

#: It switches JIT off too, for the transaction: to compile what is read of a few changes takes longer than to read it.
#: Functions, and not the views on them: to plan the joins of those takes 0.7 ms, also where nothing is asked of them.
_POINT = """
SELECT pg_snapshot_xmin(now_seen)::text::bigint,
       pg_snapshot_xmax(now_seen)::text::bigint,
       extract(epoch FROM clock_timestamp())::float8,
       (SELECT extract(epoch FROM max(at))::float8 FROM gatehouse.mark
        WHERE ahead <= pg_snapshot_xmin(now_seen)::text::bigint),
       CASE WHEN pg_snapshot_xmin(now_seen) <> pg_snapshot_xmax(now_seen) THEN (
           SELECT extract(epoch FROM min(began))::float8 FROM (
               SELECT xact_start AS began FROM pg_stat_get_activity(NULL)
               WHERE backend_xid::text::bigint = pg_snapshot_xmin(now_seen)::text::bigint % 4294967296
               UNION ALL
               SELECT prepared FROM pg_prepared_xact()
               WHERE transaction::text::bigint = pg_snapshot_xmin(now_seen)::text::bigint % 4294967296
           ) AS oldest
       ) END,
       concat_ws(' ', pg_postmaster_start_time(), inet_server_addr(), inet_server_port()),
       concat_ws(' ', left(pg_walfile_name(pg_current_wal_lsn()), 8),
                 (SELECT oid FROM pg_database WHERE datname = current_database()))
FROM (SELECT pg_current_snapshot() AS now_seen, set_config('jit', 'off', true)) AS point
"""
_CAPTURED = """
SELECT wanted.name, found.relation, found.kept, found.watched, found.since,
       gatehouse.capture_identity(
           to_regclass(quote_ident(wanted.name)),
           ARRAY(SELECT jsonb_object_keys(found.kept || found.watched)) || found.key
       ) IS NOT DISTINCT FROM found.identity,
       coalesce(found.asked_at < now() - interval '1 day', false)
FROM unnest(%s) AS wanted(name) LEFT JOIN gatehouse.captured AS found ON found.name = wanted.name
"""


@dataclass(frozen=True, slots=True)
class Point:
    """A point in the database's history.

    All transactions below ``horizon`` have ended, and none from ``ahead`` on can be seen. ``began`` is when the oldest
    one that writes did, ``now`` where there is none (seconds since 1970), and ``incarnation`` tells the database from
    its copies and from what was restored. No transaction from ``horizon`` on has written before ``earliest``.
    """

    horizon: int
    ahead: int
    now: float
    began: float
    earliest: float
    incarnation: str

    @property
    def lag(self) -> float:
        """Seconds by which what can be read is behind."""
        return max(0.0, self.now - self.began)


@dataclass(frozen=True, slots=True)
class Captured:
    """Captured tables: the ids that PostgreSQL has for them, and the transaction from which on all is noted.

    ``missing`` says of which tables not all is noted; ``fading`` are those that are noted as somebody has asked for
    them, which was long ago.
    """

    relations: dict[str, int]
    since: int
    missing: tuple[str, ...]
    fading: tuple[str, ...] = ()


#: A server, by when and where it was started, and the cluster that it serves.
_known_system: tuple[str, int] = ("", 0)


def point(env: Environment) -> Point:
    """Return the point up to which the snapshot of a transaction shows all."""
    env.cr.execute(_POINT)
    horizon, ahead, now, marked, began, server, history = env.cr.fetchone()
    earliest = (marked or 0.0) - _MARGIN
    if horizon == ahead:
        began = now
    elif began is None:  # another role's, or one that has ended since the snapshot was taken
        began = marked or now
    return Point(horizon, ahead, now, min(began, now), max(0.0, earliest), f"{_system(env, server)} {history}")


def _system(env: Environment, server: str) -> int:
    """Return the identifier of the cluster; that of the server that was asked last is known, which saves 1.5 ms."""
    global _known_system
    if _known_system[0] != server:
        env.cr.execute("SELECT system_identifier FROM pg_control_system()")
        _known_system = server, env.cr.fetchone()[0]
    return _known_system[1]


def captured(env: Environment, needs: Needs) -> Captured:
    """Return the capture of the tables that are needed."""
    env.cr.execute(_CAPTURED, (sorted(needs),))
    relations, since, missing, fading = {}, 0, [], []
    for table, relation, kept, watched, first, is_same, is_fading in env.cr.fetchall():
        need = needs[table]
        times = _times(need, kept or {}, watched or {})
        if relation is None or not is_same or times is None:
            missing.append(table)
            continue
        relations[table] = relation
        since = max(since, first, *times)
        if is_fading:
            fading.append(table)
    return Captured(relations, since, tuple(missing), tuple(fading))


def _times(need: Any, kept: dict[str, int], watched: dict[str, int]) -> list[int] | None:
    """Return since when each column is noted; None where one is not."""
    either = {**watched, **kept}
    times = [kept.get(name) for name in need.kept] + [either.get(name) for name in need.watched]
    return None if None in times else [number for number in times if number is not None]
