"""The cost of following changes: ``python -m bench changes``.

Writes with and without the capture of changes, in turns, and deltas of some records among a million.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bench import access, report, servers
from bench.access import Access
from bench.clients import Gatehouse
from bench.database import CREATED, Database, reset
from bench.load import WrongAnswer
from bench.request import Request
from bench.streams import connection, sent
from dev import paths
from dev.steps import run as run_command
from dev.steps import step

ROUTE = "/api/bench/followed"
#: Partners that there are, records of a bulk create, updates of one record, and records that a delta tells of.
PARTNERS, BULK, UPDATES, CHANGED = 1_000_000, 1000, 200, 100
#: Deltas that are asked for, each with the same token.
_ASKED = 30
#: Seconds after which all workers know that the capture was switched.
_PAUSE = 3.0
#: Times that all is written between two switches: a bulk create is by a tenth faster or slower from one to the next.
_TIMES = 3
#: Lines of the table.
CREATE, UPDATE, NOTHING, SOME = "create 1,000", "update one", "delta of nothing", "delta of 100 changes"
#: Copies of the partners that are there, as many as are missing.
_GROW = """
INSERT INTO res_partner ({columns}) SELECT {columns} FROM res_partner, generate_series(1, 20)
WHERE ref IS NOT NULL LIMIT %s - (SELECT count(*) FROM res_partner)
"""


def run(database: Database, *, number: int, partners: int = PARTNERS) -> list[dict[str, Any]]:
    """Measure so many rounds; return an entry for each line of the table. Raises SetupError and WrongAnswer."""
    database.ensure()
    with contextlib.ExitStack() as stack:
        with step(f"Making a copy with {partners:,} partners"):
            copy = stack.enter_context(database.copied("changes"))
            with copy.connected() as cursor:
                _grow(cursor, partners)
        configured = access.configure(copy)
        with step("Starting the server"):
            server = stack.enter_context(servers.gatehouse(copy))
        credentials = access.obtain(copy, server, configured)
        http_connection = stack.enter_context(contextlib.closing(connection(server)))
        cursor = stack.enter_context(copy.connected())
        writes: dict[bool, dict[str, list[float]]] = {is_on: {CREATE: [], UPDATE: []} for is_on in (False, True)}
        for each in range(number + 1):
            with step(f"Round {each} of {number}" if each else "Warming up"):
                # In turns: what a write leaves behind (a checkpoint, a vacuum) meets both.
                for is_on in ((False, True), (True, False))[each % 2]:
                    _switch(copy, is_on=is_on)
                    time.sleep(_PAUSE)
                    for turn in range(_TIMES + 1):
                        found = _write(http_connection, credentials, each)
                        reset(cursor, CREATED)
                        if each and turn:  # at first the workers have just compiled all anew
                            for line, seconds in found.items():
                                writes[is_on][line].append(seconds)
        with step("Deltas"):
            _switch(copy, is_on=True)
            time.sleep(_PAUSE)
            deltas = _deltas(http_connection, credentials, cursor)
        return list(_entries(writes, deltas))


def markdown(entries: list[dict[str, Any]]) -> str:
    """Return the table of entries."""
    rows = [
        [
            entry["line"],
            f"{entry['milliseconds']:.1f}",
            f"{entry['without']:.1f}" if entry["without"] else "",
            f"**{entry['ratio']:.2f}**" if entry["without"] else "",
        ]
        for entry in entries
    ]
    return report.table(["one client", "ms", "ms without capture", "×"], rows)


def _entries(
    writes: Mapping[bool, Mapping[str, list[float]]], deltas: Mapping[str, list[float]]
) -> Iterator[dict[str, Any]]:
    for line in (CREATE, UPDATE):
        on, off = writes[True][line], writes[False][line]
        yield {
            "line": line,
            "milliseconds": 1000 * statistics.median(on),
            "without": 1000 * statistics.median(off),
            "ratio": statistics.median(on) / statistics.median(off),
        }
    for line, found in deltas.items():
        yield {"line": line, "milliseconds": 1000 * statistics.median(found), "without": None, "ratio": None}


def _grow(cursor: Any, partners: int) -> None:
    cursor.execute(
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute "
        "WHERE attrelid = 'res_partner'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'id'"
    )
    ((columns,),) = cursor.fetchall()
    cursor.execute(_GROW.format(columns=columns), (partners,))
    cursor.execute("VACUUM ANALYZE res_partner")


def _switch(database: Database, *, is_on: bool) -> None:
    """Switch the capture of changes for all servers of the database."""
    env = {**servers.without_settings(), **database.environment}
    command = [sys.executable, "-m", "flask", "capture", "on" if is_on else "off"]
    run_command(command, log=None, what="Switching the capture of changes", env=env, cwd=paths.ROOT)


def _write(http_connection: http.client.HTTPConnection, credentials: Access, number: int) -> dict[str, float]:
    """Return the seconds of a bulk create, and the median of those of updates."""
    client = Gatehouse(credentials.token)
    values = [{"name": f"{CREATED}{number} {each}", "email": f"bench{each}@example.com"} for each in range(BULK)]
    create = client.send("POST", ROUTE, values)
    updates = [
        client.send("PATCH", f"{ROUTE}/{public_id}", {"phone": f"{number} {time.monotonic()}"})
        for public_id in credentials.public_ids[:UPDATES]
    ]
    return {
        CREATE: _seconds(lambda: sent(http_connection, create)),
        UPDATE: statistics.median(_seconds(lambda call=each: sent(http_connection, call)) for each in updates),  # type: ignore[misc]
    }


def _deltas(http_connection: http.client.HTTPConnection, credentials: Access, cursor: Any) -> dict[str, list[float]]:
    """Return the seconds of deltas, by the line of the table."""
    client = Gatehouse(credentials.token)

    def delta(token: str) -> Request:
        return client.get(f"{ROUTE}/delta", token=token, limit=CHANGED)

    def asked(token: str, changes: int) -> list[float]:
        call = delta(token)
        answer = _result(sent(http_connection, call))
        if len(answer["changes"]) != changes:
            raise WrongAnswer(f"{len(answer['changes'])} changes, not {changes}: {str(answer)[:300]}")
        return [_seconds(lambda: sent(http_connection, call)) for _ in range(_ASKED)]

    token = _result(sent(http_connection, delta("latest")))["delta_token"]
    found = {NOTHING: asked(token, 0)}
    ids = list(map(int, credentials.ids[:CHANGED]))
    cursor.execute("UPDATE res_partner SET street = street || '!' WHERE id = ANY (%s)", (ids,))
    return {**found, SOME: asked(token, CHANGED)}


def _result(content: bytes) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(content)["result"]
    return result


def _seconds(do: Callable[[], object]) -> float:
    began = time.monotonic()
    do()
    return time.monotonic() - began
