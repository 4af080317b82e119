"""Datetimes are those that psycopg2 reads, and what it refuses is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from app.web.routing import Gatehouse
from odoo_bridge import fast
from odoo_bridge.errors import BridgeError
from odoo_bridge.transaction import Environment

pytestmark = pytest.mark.usefixtures("all_pieces")

SOME = """
SELECT moment, moment::text FROM (
    SELECT ('0001-01-01'::timestamp + n * interval '3653 days 05:43:21.000001' * 1.7) AS moment
    FROM generate_series(0, 500) n
    UNION ALL
    SELECT ('2026-02-28 23:59:59'::timestamp + interval '0.1 seconds' / 10 ^ n) FROM generate_series(0, 6) n
    UNION ALL
    VALUES (NULL::timestamp), ('9999-12-31 23:59:59.999999'), ('infinity'), ('-infinity')
) moments
"""


def read(app: Gatehouse, sql: str) -> list[tuple[Any, ...]]:
    def work(env: Environment) -> list[tuple[Any, ...]]:
        env.cr.execute(sql)
        rows: list[tuple[Any, ...]] = env.cr.fetchall()
        return rows

    return app.services.transactions.run(work, keep=False)


def test_datetimes_are_those_that_psycopg2_reads(app: Gatehouse) -> None:
    ours = read(app, SOME)
    with fast.without("datetimes"):
        assert read(app, SOME) == ours
    assert len(ours) > 500
    for moment, text in ours:
        if moment not in (None, datetime.max, datetime.min):
            assert moment == datetime.strptime(text if "." in text else f"{text}.0", "%Y-%m-%d %H:%M:%S.%f")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT '20000-01-01 00:00:00'::timestamp",
        "SELECT '0044-03-15 00:00:00 BC'::timestamp",
        "SET LOCAL datestyle = 'SQL, DMY'; SELECT '2026-02-01 03:04:05'::timestamp",
    ],
    ids=["year of five digits", "before Christ", "another form"],
)
def test_what_psycopg2_refuses_is_refused_alike(app: Gatehouse, sql: str) -> None:
    with fast.without("datetimes"), pytest.raises((ValueError, BridgeError)) as theirs:
        read(app, sql)
    with pytest.raises(type(theirs.value)) as ours:
        read(app, sql)
    assert str(ours.value) == str(theirs.value)
