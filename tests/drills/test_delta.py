"""Clients that follow by delta while others write at random: each copy is right, and tells of nobody else's records.

DELTA_SEED says what they write; it is printed.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from dev.testbed import Testbed
from tests.drills.followers import Follower, explain
from tests.drills.writers import PARTNER_NAMES
from tests.extent import extent
from tests.server.conftest import ROOT, Server, wait_until_settled
from tests.server.odoo_shell import OdooShell
from tests.server.workers import serving_apis

SECONDS = extent(30.0, 600.0)
SEED = os.environ.get("DELTA_SEED") or str(random.SystemRandom().randrange(10**6))
pytestmark = [pytest.mark.alone, pytest.mark.live, pytest.mark.timeout(400 + 5 * SECONDS)]

_FIELDS = [
    "active",
    "company_id",
    "count",
    "line_ids",
    "name",
    "notes",
    "owner_id",
    "parent_id",
    "partner_id",
    "tag_ids",
]
_DOMAINS: dict[str, list[Any]] = {
    "/api/all": [["active", "in", [True, False]]],
    "/api/partners": ["|", ["partner_id.name", "=like", "In%"], ["parent_id.partner_id.name", "=like", "In%"]],
    "/api/tags": ["|", ["tag_ids.color", "=", 7], ["line_ids.price", ">", 60]],
}
#: The kinds of records (``tests/drills/writers.py``) that a user never sees, and those that a domain never matches.
_NEVER = {"admin": {"stranger", "demo", "company"}, "demo": {"stranger", "company"}, "other": {"stranger", "demo"}}
_NEVER_BY_DOMAIN = {"/api/all": set[str](), "/api/partners": {"plain"}, "/api/tags": {"plain"}}
_APIS = yaml.safe_dump(
    {
        "apis": [
            {
                "name": "Writing",
                "route": "/api/writing",
                "published": True,
                "id_obfuscation": False,
                "models": [{"model": "test.record", "fields": _FIELDS, "related": {"line_ids": ["name", "price"]}}],
            },
            *(
                {
                    "name": route,
                    "route": route,
                    "published": True,
                    "id_obfuscation": False,
                    "endpoints": {"delta": True},
                    "models": [{"model": "test.record", "fields": _FIELDS, "domain": domain}],
                }
                for route, domain in _DOMAINS.items()
            ),
        ]
    }
)
_PREPARE = """
main, second = env.ref("base.main_company"), env["res.company"].create({"name": "Second"})
group = [(6, 0, [env.ref("base.group_user").id])]
people = {user.login: user for user in env["res.users"].create([
    {"name": login, "login": login, "password": login, "group_ids": group,
     "company_id": company.id, "company_ids": [(6, 0, [company.id])]}
    for login, company in (("other", second), ("stranger", main))
])} | {login: env["res.users"].search([("login", "=", login)]) for login in ("admin", "demo")}
people["admin"].company_ids = main
assert people["demo"].company_ids == main
env["test.tag"].create([{"name": f"tag {n}", "color": n % 3 and 7} for n in range(12)])
env["res.partner"].create([{"name": name, "ref": "drill", "company_id": [False, main.id, second.id][n % 3]}
                           for n in range(5) for name in NAMES])
cr.execute('''
    CREATE TABLE drill_made (id bigint PRIMARY KEY, kind text);
    CREATE FUNCTION drill_made() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO drill_made VALUES (NEW.id, NEW.notes); RETURN NULL; END';
    CREATE TRIGGER drill_made AFTER INSERT ON test_record FOR EACH ROW EXECUTE FUNCTION drill_made()
''')
found = {login: user.id for login, user in people.items()}, [main.id, second.id]
"""
#: What a process of Odoo's own does in a transaction, which is rolled back where it meets another one's.
_BY_ORM = """
import random, time
choose = random.Random({seed!r})
records = env["test.record"].search([])
def some(kinds, most=5):
    mine = records.filtered(lambda record: record.notes in kinds)
    return mine.browse(choose.sample(mine.ids, min(len(mine), choose.randint(0, most))))
try:
    full, any_kind = ("free", "stranger", "demo", "company"), ("free", "stranger", "demo", "company", "plain")
    tags, partners = env["test.tag"].search([]).ids, env["res.partner"].search([("ref", "=", "drill")])
    for _ in range(choose.randint(1, 4)):
        what, number = choose.randrange(12), choose.randint(0, 99)
        one = choose.choice([False, *partners.ids])
        if what == 0 and len(records) < 900:
            records.create([{{"name": "by ORM", "notes": "free", "count": number, "partner_id": one,
                "tag_ids": [(6, 0, choose.sample(tags, min(2, len(tags))))],
                "line_ids": [(0, 0, {{"name": "l", "price": number}})]}}])
        elif what == 1:
            some(any_kind).write({{"count": number, "name": f"by ORM {{number}}"}})
        elif what == 2 and len(records) > 300:
            some(any_kind, 2).unlink()
        elif what == 3:
            some(any_kind).action_archive()
        elif what == 4:
            some(any_kind).action_unarchive()
        elif what == 5:
            some(full).write({{"tag_ids": [(6, 0, choose.sample(tags, min(3, len(tags))))]}})
        elif what == 6:
            some(full).write({{"partner_id": one}})
        elif what == 7:
            some(full).write({{"line_ids": [(0, 0, {{"name": "by ORM", "price": number}})]}})
        elif what == 8:
            some(full).line_ids.filtered(lambda line: line.price < 30).unlink()
        elif what == 9:
            some(("free",)).write({{"owner_id": choose.choice({users!r}), "company_id": choose.choice({companies!r})}})
        elif what == 10:
            some(full).write({{"parent_id": choose.choice([False, *some(any_kind).ids])}})
        else:
            partners.browse(one or []).exists().write({{"name": choose.choice({names!r}) % number}})
        records = records.exists()
    env.flush_all()
    if choose.random() < 0.2:
        time.sleep(choose.uniform(1, 3))
    found = "committed"
except Exception as error:
    env.invalidate_all(flush=False)
    cr.rollback()
    found = type(error).__name__
"""


@dataclass
class Stage:
    """A server whose APIs can be followed, an Odoo beside it, and those who follow."""

    server: Server
    testbed: Testbed
    shell: OdooShell
    users: dict[str, int]
    companies: list[int]
    followers: list[Follower] = field(default_factory=list)

    @property
    def dsn(self) -> str:
        """Return the connection string of the database."""
        return self.testbed.dsn(self.server.database)

    def sql(self, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Run SQL in a transaction of its own."""
        with contextlib.closing(psycopg2.connect(self.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return cursor.fetchall()

    def follower(self, login: str, route: str, limit: int) -> Follower:
        """Return a new follower."""
        self.followers.append(Follower(self.server, self.dsn, login, route, limit))
        return self.followers[-1]

    def write_by_orm(self, over: threading.Event, counts: Counter[str]) -> None:
        """Write by the ORM, in its process, until it is over."""
        seeds = random.Random(f"{SEED} orm")
        people, names = [False, *self.users.values()], list(PARTNER_NAMES)
        while not over.wait(seeds.uniform(0, 0.1)):
            values = {"users": people, "companies": [False, *self.companies], "names": names}
            counts[self.shell.do(_BY_ORM.format(seed=seeds.random(), **values))] += 1


@pytest.fixture
def stage(testbed: Testbed, tmp_path: Path) -> Iterator[Stage]:
    with serving_apis(testbed, "delta", tmp_path, _APIS, "/api/tags") as server:
        shell = OdooShell(testbed, server.database, tmp_path / "shell.log")
        stage = Stage(
            server, testbed, shell, *shell.do(_PREPARE.replace("NAMES", repr([n % 0 for n in PARTNER_NAMES])))
        )
        try:
            yield stage
        finally:
            shell.end()
            for follower in stage.followers:
                follower.close()


class Writers:
    """Processes that write beside the server (``tests/drills/writers.py``) while the block runs."""

    def __init__(self, stage: Stage, folder: Path, kinds: dict[str, dict[str, Any]]) -> None:
        """``kinds``: the kinds of writers, each with settings of its own."""
        cookies = {login: stage.server.session(login).cookies["session_id"] for login in ("admin", "demo", "other")}
        common: dict[str, Any] = {"dsn": stage.dsn, "url": stage.server.url, "cookies": cookies, "seed": SEED}
        common |= {"users": stage.users, "companies": stage.companies, "pause": 0.05}
        self.counts: dict[str, Counter[str]] = {}
        self._folder = folder
        self._programs = {kind: json.dumps({**common, **settings}) for kind, settings in kinds.items()}
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> Writers:
        for kind, settings in self._programs.items():
            with self._log(kind).open("w") as log:
                self._processes[kind] = subprocess.Popen(
                    [sys.executable, "-m", "tests.drills.writers", kind, settings],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes.values():
            assert process.stdin is not None
            process.stdin.close()
        for kind, process in self._processes.items():
            assert process.stdout is not None
            with process:
                answer = process.stdout.read()
            assert process.returncode == 0, f"{kind}: {self._log(kind).read_text()[-3000:]}"
            self.counts[kind] = Counter(json.loads(answer))

    def _log(self, kind: str) -> Path:
        return self._folder / f"{kind}.log"


def check(stage: Stage, followers: Sequence[Follower]) -> None:
    """Have all that follow come to an end, and compare each copy with a full read."""
    wait_until_settled(stage.sql, 120)
    for follower in followers:
        follower.settle()
    for each in followers:
        changes = Counter(op for answer in each.answers for op in answer.ops.values())
        print(
            f"{each.name}: {len(each.answers)} pages, {len(each.records)} records, {dict(changes)}, "
            f"removed without having it {each.unknown}, lag up to {max(answer.lag for answer in each.answers):.1f} s, "
            f"the slowest page {max(answer.seconds for answer in each.answers):.2f} s"
        )
    wrong = [text for each in followers if (text := explain(each, each.read(), stage.sql))]
    assert not wrong, f"DELTA_SEED={SEED}\n" + "\n\n".join(wrong)


def check_secrets(stage: Stage, follower: Follower) -> None:
    """No record was told of that the client could never see, or that was never committed."""
    kinds = dict(stage.sql("SELECT id, kind FROM drill_made"))
    told = follower.told()
    never = _NEVER[follower.login] | _NEVER_BY_DOMAIN[follower.route]
    assert {each for each in told if kinds.get(each, "none") in {*never, "none"}} == set(), (follower.name, SEED)
    assert "free" in {kinds[each] for each in told}, follower.name


def test_each_copy_is_right_whoever_writes_and_tells_of_nobody_elses_records(stage: Stage, tmp_path: Path) -> None:
    print(f"DELTA_SEED={SEED}, {SECONDS:g} seconds")
    began = [
        stage.follower("admin", "/api/all", 50),
        stage.follower("demo", "/api/partners", 7),
        stage.follower("other", "/api/tags", 13),
    ]
    late = [
        stage.follower("admin", "/api/tags", 5),
        stage.follower("demo", "/api/all", 29),
        stage.follower("other", "/api/partners", 100),
    ]
    kinds: dict[str, dict[str, Any]] = {"sql": {"threads": 6}, "cascades": {"threads": 3}, "rest": {"threads": 3}}
    over, by_orm = threading.Event(), Counter[str]()
    start = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        writers = Writers(stage, tmp_path, kinds)
        with writers:
            work = [pool.submit(stage.write_by_orm, over, by_orm)]
            try:
                for followers, seconds in ((began, SECONDS / 3), (late, SECONDS * 2 / 3)):
                    for number, follower in enumerate(followers):
                        pace = random.Random(f"{SEED} {follower.name}")
                        work.append(pool.submit(follower.follow, over, pace, (0.02, 0.3, 2)[number]))
                    time.sleep(seconds)
            finally:
                over.set()
        for future in work:
            future.result()
    ended = time.monotonic()
    check(stage, stage.followers)
    for each in stage.followers:
        check_secrets(stage, each)
    noted = stage.sql("SELECT count(*), count(DISTINCT xid) FROM gatehouse.changes")[0]
    print(
        f"{ended - start:.0f} s of writes, {noted[0]} noted changes of {noted[1]} transactions; copies were right "
        f"{time.monotonic() - ended:.0f} s later"
    )
    print({"orm": dict(by_orm), **{kind: dict(counts) for kind, counts in writers.counts.items()}})


def test_a_copy_is_right_while_large_transactions_are_told_of_in_pages(stage: Stage, tmp_path: Path) -> None:
    print(f"DELTA_SEED={SEED}")
    over, follower = threading.Event(), stage.follower("admin", "/api/all", 100)
    with ThreadPoolExecutor(1) as pool:
        writers = Writers(stage, tmp_path, {"sql": {"threads": 1, "held": 0}, "large": {"threads": 1}})
        with writers:
            following = pool.submit(follower.follow, over, random.Random(SEED), 0.02)
            time.sleep(SECONDS / 3)
            over.set()
        following.result()
    check(stage, [follower])
    check_secrets(stage, follower)
    print({kind: dict(counts) for kind, counts in writers.counts.items()})
    assert writers.counts["large"]["large"] >= 4
