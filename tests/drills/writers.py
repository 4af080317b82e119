"""Programs that write at random until their standard input ends: ``python -m tests.drills.writers KIND SETTINGS``.

What kind of record one is stands in ``notes``, which no writer changes: ``free`` ones are given and taken, those of a
``stranger`` and of ``demo`` keep their owner, those of a ``company`` that, and ``plain`` ones have no partner, tags and
lines. So it is known of some records who can never see them.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

import psycopg2
import requests
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED, ISOLATION_LEVEL_REPEATABLE_READ

Settings: TypeAlias = dict[str, Any]
Cursor: TypeAlias = Any
KINDS = ("free", "stranger", "demo", "company", "plain")
_FULL = tuple(kind for kind in KINDS if kind != "plain")
#: Records beyond which none are made.
MOST = 900
#: Records without which none are deleted.
LEAST = 300
PARTNER_NAMES = ("In %s", "Out %s", "In and out %s")
_NEW = (
    "INSERT INTO test_record (id, parent_path, name, notes, active, count, owner_id, company_id, partner_id) "
    "SELECT new.id, new.id || '/', %(name)s, %(kind)s, %(active)s, 0, %(owner)s, %(company)s, %(partner)s "
    "FROM (SELECT nextval('test_record_id_seq') AS id FROM generate_series(1, %(many)s)) AS new RETURNING id"
)
_NEW_LINES = "INSERT INTO test_line (record_id, name, price) SELECT unnest(%(list)s), 'new', %(price)s"
_NEW_TAGS = (
    "INSERT INTO test_record_test_tag_rel (test_record_id, test_tag_id) "
    "SELECT r.id, t.id FROM test_record AS r JOIN test_tag AS t ON t.id IN %(tags)s WHERE r.id IN %(ids)s"
)


class Writer:
    """A writer by SQL: each call of ``step`` is one transaction."""

    def __init__(self, settings: Settings, seed: str, statements: list[Callable[[Writer], None]]) -> None:
        self.settings = settings
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self._statements = statements
        self._connection = psycopg2.connect(settings["dsn"])
        self.cr: Cursor = self._connection.cursor()

    def step(self) -> None:
        """Make a transaction of some statements; it may be held open, roll back a part of itself, or all."""
        choose = self.random
        level = choose.choice((ISOLATION_LEVEL_READ_COMMITTED, ISOLATION_LEVEL_REPEATABLE_READ))
        self._connection.set_isolation_level(level)
        try:
            for _ in range(choose.randint(1, 5)):
                self._statement()
            if choose.random() < self.settings.get("held", 0.15):
                self.counts["held"] += 1
                time.sleep(choose.uniform(1, 3))
            if choose.random() < 0.12:
                self._connection.rollback()
                self.counts["rolled back"] += 1
            else:
                self._connection.commit()
                self.counts["committed"] += 1
        except psycopg2.Error as error:  # conflicts of transactions, foreign keys of what has gone meanwhile
            self._connection.rollback()
            self.counts[type(error).__name__] += 1

    def _statement(self) -> None:
        statement, savepoint = self.random.choice(self._statements), self.random.random() < 0.3
        if savepoint:
            self.cr.execute("SAVEPOINT part")
        statement(self)
        if savepoint:
            is_undone = self.random.random() < 0.6
            self.cr.execute("ROLLBACK TO SAVEPOINT part" if is_undone else "RELEASE SAVEPOINT part")

    def some(self, *kinds: str, where: str = "TRUE", **values: Any) -> tuple[int, ...]:
        """Return ids of some records of these kinds, or of any; a list that is never empty."""
        query = f"SELECT id FROM test_record WHERE notes = ANY (%(kinds)s) AND {where} ORDER BY id"
        self.cr.execute(query, {"kinds": list(kinds or KINDS), **values})
        return self._few(4)

    def rollback(self) -> None:
        """End the transaction."""
        self._connection.rollback()

    def some_of(self, table: str, where: str = "TRUE", most: int = 3) -> tuple[int, ...]:
        """Return ids of some rows of another table; a list that is never empty."""
        self.cr.execute(f"SELECT id FROM {table} WHERE {where} ORDER BY id")
        return self._few(most)

    def _few(self, most: int) -> tuple[int, ...]:
        ids = [found for (found,) in self.cr.fetchall()]
        return (0, *self.random.sample(ids, min(len(ids), self.random.randint(1, most))))

    def partners(self) -> tuple[int, ...]:
        """Return ids of some of the drill's partners."""
        return self.some_of("res_partner", "ref = 'drill'")

    def one(self, ids: tuple[int, ...]) -> int | None:
        """Return one of these ids, or None."""
        return self.random.choice((*ids[1:], None))

    def new(self) -> None:
        """Create records, unless there are many; each with a line, and some with a tag."""
        if self.count() < MOST:
            values = {**self.values(), "many": self.random.randint(1, 20), "active": self.random.random() < 0.8}
            self.cr.execute(_NEW, values)
            values["ids"] = tuple(found for (found,) in self.cr.fetchall())
            if values["kind"] != "plain":
                values |= {"price": self.random.randint(0, 99), "list": list(values["ids"])}
                values["tags"] = self.some_of("test_tag")
                self.cr.execute(_NEW_LINES, values)
                self.cr.execute(_NEW_TAGS, values)

    def count(self) -> int:
        """Return the number of records."""
        self.cr.execute("SELECT count(*) FROM test_record")
        return int(self.cr.fetchone()[0])

    def values(self) -> dict[str, Any]:
        """Return values for a new record of any kind."""
        people, companies = self.settings["users"], self.settings["companies"]
        kind = self.random.choice((*KINDS, "free"))
        owner = {"free": self.random.choice([None, *people.values()]), "plain": None, "company": None}
        return {
            "name": f"new {self.random.random():.6f}",
            "kind": kind,
            "owner": owner[kind] if kind in owner else people[kind],
            "company": companies[1] if kind == "company" else self.random.choice([None, companies[0]]),
            "partner": None if kind == "plain" else self.one(self.partners()),
        }


def _sql(statement: str, **values: Callable[[Writer], Any]) -> Callable[[Writer], None]:
    """Return a writer's statement whose values are chosen anew each time; ``n`` is a number."""

    def run(writer: Writer) -> None:
        if statement.startswith("DELETE FROM test_record") and writer.count() < LEAST:
            return writer.new()
        chosen = {name: choose(writer) for name, choose in values.items()}
        writer.cr.execute(statement, {"n": writer.random.randint(0, 99), **chosen})
        return None

    return run


def _any(writer: Writer) -> tuple[int, ...]:
    return writer.some()


def _free(writer: Writer) -> tuple[int, ...]:
    return writer.some("free")


def _full(writer: Writer) -> tuple[int, ...]:
    return writer.some(*_FULL)


def _owner(writer: Writer) -> int | None:
    return writer.one((0, *writer.settings["users"].values()))


def _company(writer: Writer) -> int | None:
    return writer.one((0, *writer.settings["companies"]))


def _partner(writer: Writer) -> int | None:
    return writer.one(writer.partners())


def _partners(writer: Writer) -> tuple[int, ...]:
    return writer.partners()


def _lines(writer: Writer) -> tuple[int, ...]:
    return writer.some_of("test_line")


def _tags(writer: Writer) -> tuple[int, ...]:
    return writer.some_of("test_tag")


def _name(writer: Writer) -> str:
    return writer.random.choice(PARTNER_NAMES) % writer.random.randint(0, 9)


_RELATION = "test_record_test_tag_rel"
_LINK = f"INSERT INTO {_RELATION} (test_record_id, test_tag_id) SELECT r, t FROM unnest(%(ids)s) r, unnest(%(tags)s) t "
_EXIST = "WHERE r > 0 AND t > 0 "
_BY_HAND = [
    Writer.new,
    _sql("UPDATE test_record SET count = %(n)s WHERE id IN %(ids)s", ids=_any),
    _sql("UPDATE test_record SET count = count, write_date = now() WHERE id IN %(ids)s", ids=_any),
    _sql("UPDATE test_record SET owner_id = %(owner)s WHERE id IN %(ids)s", ids=_free, owner=_owner),
    _sql("UPDATE test_record SET company_id = %(to)s WHERE id IN %(ids)s", ids=_free, to=_company),
    _sql("UPDATE test_record SET active = NOT active WHERE id IN %(ids)s", ids=_any),
    _sql("UPDATE test_record SET active = TRUE WHERE id IN %(ids)s", ids=_any),
    _sql("UPDATE test_record SET partner_id = %(to)s WHERE id IN %(ids)s", ids=_full, to=_partner),
    _sql("DELETE FROM test_record WHERE id IN %(ids)s", ids=_any),
    _sql("DELETE FROM test_line WHERE id IN %(ids)s", ids=_lines),
    _sql("UPDATE test_line SET price = %(n)s WHERE id IN %(ids)s", ids=_lines),
    _sql("UPDATE test_line SET id = nextval('test_line_id_seq') WHERE id IN %(ids)s", ids=_lines),
    _sql("UPDATE test_line SET record_id = %(to)s WHERE id IN %(ids)s AND %(to)s > 0", ids=_lines,
         to=lambda writer: _full(writer)[-1]),
    _sql("INSERT INTO test_line (record_id, name, price) SELECT id, 'by hand', %(n)s FROM test_record "
         "WHERE id IN %(ids)s", ids=_full),
    _sql(f"{_LINK}{_EXIST} ON CONFLICT DO NOTHING", ids=lambda writer: list(_full(writer)),
         tags=lambda writer: list(_tags(writer))),
    _sql(f"DELETE FROM {_RELATION} WHERE test_record_id IN %(ids)s", ids=_any),
    _sql(f"UPDATE {_RELATION} AS link SET test_tag_id = %(to)s WHERE test_record_id IN %(ids)s AND %(to)s > 0 "
         f"AND NOT EXISTS (SELECT FROM {_RELATION} WHERE test_record_id = link.test_record_id) ",
         ids=_any, to=lambda writer: _tags(writer)[-1]),
    _sql(f"WITH gone AS (DELETE FROM {_RELATION} WHERE test_record_id IN %(ids)s RETURNING test_record_id AS id) "
         "UPDATE test_record SET count = %(n)s WHERE id IN (SELECT id FROM gone)", ids=_any),
    _sql("MERGE INTO test_record AS one USING (SELECT unnest(%(ids)s) AS id) AS other ON one.id = other.id "
         "WHEN MATCHED AND one.count > 90 THEN DELETE WHEN MATCHED THEN UPDATE SET count = one.count + 1",
         ids=lambda writer: list(_any(writer))),
]  # fmt: skip
_CASCADES = [
    Writer.new,
    _sql("INSERT INTO res_partner (name, ref, active, partner_share, company_id) "
         "VALUES (%(name)s, 'drill', TRUE, TRUE, %(to)s)", name=_name, to=_company),
    _sql("DELETE FROM res_partner WHERE id IN %(ids)s AND 20 < "
         "(SELECT count(*) FROM res_partner WHERE ref = 'drill')", ids=_partners),
    _sql("UPDATE res_partner SET name = %(name)s WHERE id IN %(ids)s", ids=_partners, name=_name),
    _sql("UPDATE res_partner SET name = %(name)s WHERE id IN %(ids)s", ids=_partners, name=_name),
    _sql("UPDATE res_partner SET company_id = %(to)s WHERE id IN %(ids)s", ids=_partners, to=_company),
    _sql("UPDATE res_partner SET active = NOT active WHERE id IN %(ids)s", ids=_partners),
    _sql("UPDATE test_record SET parent_id = %(to)s WHERE id IN %(ids)s", ids=_full,
         to=lambda writer: _any(writer)[-1] or None),
    _sql("UPDATE test_record SET active = %(n)s > 60 WHERE id IN %(ids)s OR parent_id IN %(ids)s", ids=_any),
    _sql("DELETE FROM test_record WHERE id IN (SELECT parent_id FROM test_record WHERE id IN %(ids)s)", ids=_any),
    _sql("DELETE FROM test_record WHERE id IN (SELECT record_id FROM test_line WHERE id IN %(ids)s)", ids=_lines),
    _sql("DELETE FROM test_tag WHERE id IN %(ids)s AND color <> 7", ids=_tags),
    _sql("INSERT INTO test_tag (name, color) VALUES (jsonb_build_object('en_US', 'new'), %(n)s %% 8)"),
    _sql("UPDATE test_tag SET color = CASE WHEN color = 7 THEN 1 ELSE 7 END WHERE id IN %(ids)s", ids=_tags),
    _sql("UPDATE test_record SET count = %(n)s WHERE id %% 37 = %(n)s %% 37"),
]  # fmt: skip


class Caller:
    """A writer through Gatehouse's REST API, as one user or another."""

    def __init__(self, settings: Settings, seed: str) -> None:
        self.counts: Counter[str] = Counter()
        self._writer = Writer(settings, seed, [])
        self._random = self._writer.random
        self._url, self._cookies = settings["url"], settings["cookies"]

    def step(self) -> None:
        """Make a call, mostly for records that the user sees."""
        writer, choose, number = self._writer, self._random, self._random.randint(0, 99)
        login = choose.choice(list(self._cookies))
        some, full, free = self._seen(login), self._seen(login, *_FULL), self._seen(login, "free")
        partner, tags, lines = _partner(writer), _tags(writer)[1:], _lines(writer)[1:]
        new, is_many = [self._new() for _ in range(5)], writer.count() > LEAST
        writer.rollback()
        calls: list[tuple[str, str, Any]] = [
            ("POST", "", new[0]),
            ("POST", "", new),
            ("POST", "?atomic=false", new),
            ("PATCH", "", {"ids": some, "count": number}),
            ("PATCH", "", [{"id": each, "name": f"own {number}", "active": number > 20} for each in some]),
            ("PATCH", "", {"ids": full, "tag_ids": tags}),
            *([("DELETE", "", some)] if is_many else []),
            *(("DELETE", f"/{each}", None) for each in some[:1] if is_many),
            *(("PATCH", f"/{each}", {"partner_id": partner}) for each in full[:1]),
            *(("PATCH", f"/{each}", {"line_ids": [[0, 0, {"name": "by API", "price": number}]]}) for each in full[:1]),
            *(("PATCH", f"/{each}", {"line_ids": [[2, line, 0] for line in lines]}) for each in full[:1]),
            *(("PATCH", f"/{each}", {"owner_id": _owner(writer), "company_id": _company(writer)}) for each in free[:1]),
        ]
        method, path, body = choose.choice(calls)
        headers = {"Content-Type": "application/json", "Cookie": f"session_id={self._cookies[login]}"}
        answer = requests.request(
            method, f"{self._url}/api/writing{path}", data=json.dumps(body), headers=headers, timeout=120
        )
        self.counts[str(answer.status_code)] += 1
        assert answer.status_code < 500 or answer.status_code == 503, answer.text

    def _seen(self, login: str, *kinds: str) -> list[int]:
        """Return ids of some records of these kinds, or of any, that a user sees."""
        people, companies = self._writer.settings["users"], self._writer.settings["companies"]
        of = companies[1] if login == "other" else companies[0]
        where = "active AND coalesce(owner_id, %(uid)s) = %(uid)s AND coalesce(company_id, %(of)s) = %(of)s"
        return list(self._writer.some(*kinds, where=where, uid=people[login], of=of)[1:])

    def _new(self) -> dict[str, Any]:
        given = self._writer.values()
        names = {"name": "name", "notes": "kind", "owner_id": "owner", "company_id": "company", "partner_id": "partner"}
        return {name: given[key] for name, key in names.items()}


class Bulk(Writer):
    """A writer of large transactions: 3,000 records are created, changed some times over, and deleted."""

    def __init__(self, settings: Settings, seed: str) -> None:
        super().__init__(settings, seed, [])
        self._turn = 0

    def step(self) -> None:
        """Make the next of four transactions; the second one alone makes more changes than one answer looks through."""
        self._turn += 1
        values = {**self.values(), "kind": "free", "owner": None, "company": None, "active": True, "many": 3000}
        values["mark"] = f"large {(self._turn - 1) // 4}"
        more = "UPDATE test_record SET count = count + 1 WHERE name = %(mark)s"
        turns: list[list[str]] = [
            [_NEW.replace("%(name)s", "%(mark)s")],
            [more] * 4,
            ["UPDATE test_record SET active = id %% 2 = 0 WHERE name = %(mark)s"],
            ["DELETE FROM test_record WHERE name = %(mark)s AND id %% 3 > 0", more],
        ]
        try:
            for statement in turns[(self._turn - 1) % 4]:
                self.cr.execute(statement, values)
        except psycopg2.OperationalError as error:  # a deadlock
            self.rollback()
            self._turn -= 1
            self.counts[type(error).__name__] += 1
        else:
            time.sleep(self.random.uniform(0, 1))
            self._connection.commit()
            self.counts["large"] += 1


def _writer_of(kind: str, settings: Settings, number: int) -> Writer | Caller:
    seed = f"{settings['seed']} {kind} {number}"
    if kind == "rest":
        return Caller(settings, seed)
    if kind == "large":
        return Bulk(settings, seed)
    return Writer(settings, seed, _BY_HAND if kind == "sql" else _CASCADES)


def main(kind: str, settings: Settings) -> None:
    """Write in some threads until the standard input ends; print what was done."""
    over, writers, failures = threading.Event(), list[Writer | Caller](), list[BaseException]()

    def run(writer: Writer | Caller, pause: random.Random) -> None:
        try:
            while not over.wait(pause.uniform(0, settings["pause"])):
                writer.step()
        except BaseException as error:  # noqa: BLE001  it is raised by the main thread
            failures.append(error)

    for number in range(settings["threads"]):
        writers.append(_writer_of(kind, settings, number))
    threads = [threading.Thread(target=run, args=(writer, random.Random(kind))) for writer in writers]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    print(json.dumps(sum((writer.counts for writer in writers), Counter())))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
