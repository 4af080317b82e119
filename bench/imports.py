"""An import of many lines beside what Odoo has for that: ``python -m bench import``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from app.policy.context import WITHOUT_CHATTER
from bench import comparison, report, workloads
from bench.clients import Gatehouse, Json2, result
from bench.database import CREATED, Database, reset
from bench.load import WrongAnswer
from bench.servers import Server
from bench.streams import MB, Fetched, connection, measured, sent
from dev.steps import step

#: Lines of a call of a peer's: Odoo's own import sends 2,000 at most.
PIECE = 1000
FIELDS = ("name", "email", "phone")
_READ = 64 * 1024
#: Lines of the table without and with ``chatter: false``, and what the others are compared with.
OURS, CREATE, LOAD = "CSV", "/json/2 create", "/json/2 load"


def run(database: Database, *, lines: int) -> list[dict[str, Any]]:
    """Measure an import of so many lines by each way; return an entry for each. Raises SetupError and WrongAnswer."""
    with comparison.started(database, [workloads.names()[0]], peers=False) as running:
        ours, theirs = running.servers["gatehouse"], running.servers["odoo"]
        gatehouse, json2 = Gatehouse(running.access.token), Json2(running.access.key)
        ways: dict[tuple[str, bool], tuple[Server, Callable[[int], int]]] = {}
        for quiet in (False, True):
            ways[OURS, quiet] = ours, partial(_import, ours, gatehouse, quiet=quiet)
            ways[CREATE, quiet] = theirs, partial(_creates, theirs, json2, quiet=quiet)
            ways[LOAD, quiet] = theirs, partial(_loads, theirs, json2, quiet=quiet)
        found: dict[tuple[str, bool], Fetched] = {}
        with database.connected() as cursor:
            for way, (server, send) in ways.items():
                with step(f"{lines:,} lines by {way[0]}{', without chatter' if way[1] else ''}"):
                    send(2 * PIECE)  # to be warm
                    found[way] = measured(server, partial(send, lines))
                    reset(cursor, CREATED)
    if any(each.records != lines for each in found.values()):
        raise WrongAnswer(f"Not all have made the same records: {found}")
    return list(_entries(found))


def _entries(found: dict[tuple[str, bool], Fetched]) -> Iterator[dict[str, Any]]:
    for (line, quiet), each in found.items():
        yield {
            "line": line,
            "quiet": quiet,
            "records": each.records,
            "seconds": each.seconds,
            "grown_mb": each.grown / MB,
            "ratio_create": found[CREATE, quiet].seconds / each.seconds,
            "ratio_load": found[LOAD, quiet].seconds / each.seconds,
        }


def markdown(entries: list[dict[str, Any]]) -> str:
    """Return the table of entries."""
    rows = [
        [
            f"{entry['line']}{', without chatter' if entry['quiet'] else ''}",
            f"{entry['seconds']:.1f}",
            report.number(entry["records"] / entry["seconds"]),
            f"**{entry['ratio_create']:.2f}**",
            f"**{entry['ratio_load']:.2f}**",
            f"{entry['grown_mb']:.1f}",
        ]
        for entry in entries
    ]
    title = f"{entries[0]['records']:,} partners of three fields"
    return report.table([title, "s", "records/s", f"× {CREATE}", f"× {LOAD}", "peak memory, MB more"], rows)


def _import(server: Server, client: Gatehouse, number: int, *, quiet: bool) -> int:
    """Send one CSV while it is read; return the number of records that its answer tells of."""
    route = workloads.QUIET if quiet else workloads.ROUTE
    call = client.send("POST", route)
    headers = {**call.headers, "Content-Type": "text/csv", "Transfer-Encoding": "chunked"}
    sending = connection(server)
    try:
        sending.request(call.method, call.path, _csv(number), headers, encode_chunked=True)
        answer = sending.getresponse()
        last = b""
        while piece := answer.read(_READ):
            last = (last + piece)[-_READ:]
    finally:
        sending.close()
    if answer.status != 200:
        raise WrongAnswer(f"The import was answered with {answer.status}: {last[:500]!r}")
    return int(json.loads(last.splitlines()[-1])["summary"]["created"])


def _csv(number: int) -> Iterator[bytes]:
    yield (",".join(FIELDS) + "\n").encode()
    for first in range(0, number, PIECE):
        yield "".join(",".join(_row(each)) + "\n" for each in range(first, min(first + PIECE, number))).encode()


def _row(number: int) -> tuple[str, str, str]:
    return f"{CREATED}{number}", f"bench{number}@example.com", f"+1 555 {number}"


def _creates(server: Server, client: Json2, number: int, *, quiet: bool) -> int:
    def call(rows: list[tuple[str, str, str]]) -> int:
        values = [dict(zip(FIELDS, row, strict=True)) for row in rows]
        made = client.call(workloads.PARTNER, "create", vals_list=values, **_context(quiet))
        return len(result(sent(kept, made)))

    kept = connection(server)
    try:
        return sum(call(rows) for rows in _pieces(number))
    finally:
        kept.close()


def _loads(server: Server, client: Json2, number: int, *, quiet: bool) -> int:
    def call(rows: list[tuple[str, str, str]]) -> int:
        made = client.call(workloads.PARTNER, "load", fields=FIELDS, data=rows, **_context(quiet))
        found = result(sent(kept, made))
        if not found["ids"]:
            raise WrongAnswer(f"Odoo has loaded nothing: {found['messages']}")
        return len(found["ids"])

    kept = connection(server)
    try:
        return sum(call(rows) for rows in _pieces(number))
    finally:
        kept.close()


def _pieces(number: int) -> Iterator[list[tuple[str, str, str]]]:
    for first in range(0, number, PIECE):
        yield [_row(each) for each in range(first, min(first + PIECE, number))]


def _context(quiet: bool) -> dict[str, Any]:
    return {"context": dict(WITHOUT_CHATTER)} if quiet else {}
