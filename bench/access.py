"""Credentials for the servers, and the records that the workloads name."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from bench.clients import Gatehouse
from bench.database import Database
from bench.request import Request
from bench.servers import Server, without_settings
from dev import paths
from dev.steps import run

#: Of the user that all calls are made as, in the demo data.
PASSWORD = "admin"  # noqa: S105
_RECORDS = 1000
_FIVE = "name,email,phone,street,city"
#: Fields that a page has, and the order that partners have in Odoo where nobody says another one.
TEN = ("name", "email", "phone", "street", "city", "zip", "ref", "is_company", "country_id", "create_date")
BY_NAME = "complete_name, id desc"


@dataclass(frozen=True, slots=True)
class Access:
    """``token`` is Gatehouse's, ``key`` an Odoo API key of the same user.

    ``ids`` and ``public_ids`` name the same records.
    ``etag`` is the version of the first of them with five fields; ``ref`` is shared by ten records. ``cursor`` leads to
    page 500 of 80 records.
    """

    database: str
    token: str
    key: str
    uid: int
    password: str
    ids: tuple[str, ...]
    public_ids: tuple[str, ...]
    etag: str
    ref: str = "R00777"
    cursor: str = ""


def configure(database: Database) -> dict[str, Any]:
    """Prepare the database for Gatehouse; return what ``bench.configure`` prints. Raises SetupError."""
    env = {**without_settings(), **database.environment}
    command = [sys.executable, "-m", "bench.configure"]
    todo = f"Drop the database {database.name} to have it made anew."
    output = run(command, log=None, what="Defining the APIs", todo=todo, env=env, cwd=paths.ROOT)
    found: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return found


def obtain(database: Database, server: Server, configured: dict[str, Any]) -> Access:
    """Return the credentials and ids of calls, with a token from the running Gatehouse."""
    basic = b64encode("{client_id}:{client_secret}".format(**configured).encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    token = _json(server, Request("POST", "/api/oauth2/token", headers, "grant_type=client_credentials"))[
        "access_token"
    ]
    gatehouse = Gatehouse(token)
    offset = 5 * _RECORDS
    page = gatehouse.get("/api/bench/partner", fields="id", order="id", limit=_RECORDS, offset=offset, count="none")
    public_ids = tuple(record["id"] for record in _json(server, page)["result"]["records"])
    with database.connected() as cursor:
        cursor.execute("SELECT id FROM res_partner WHERE active ORDER BY id LIMIT %s OFFSET %s", (_RECORDS, offset))
        ids = tuple(str(partner_id) for (partner_id,) in cursor.fetchall())
    one = gatehouse.get(f"/api/bench/partner/{public_ids[0]}", fields=_FIVE)
    etag = one.send(server.port)[1]["ETag"]
    there = _walk(server, gatehouse, 499 * 80)
    return Access(
        database.name, token, configured["key"], configured["uid"], PASSWORD, ids, public_ids, etag, cursor=there
    )


def _walk(server: Server, gatehouse: Gatehouse, records: int) -> str:
    """Return the cursor that leads behind so many records; empty where there are no more, as in a small database."""
    cursor = ""
    while records:
        limit = min(records, _RECORDS)
        page = gatehouse.get(
            "/api/bench/partner", fields=",".join(TEN), order=BY_NAME, paging="cursor", cursor=cursor, limit=limit
        )
        cursor = _json(server, page)["result"]["next_cursor"] or ""
        records = records - limit if cursor else 0
    return cursor


def _json(server: Server, request: Request) -> dict[str, Any]:
    status, _, content = request.send(server.port)
    if status != 200:
        raise RuntimeError(f"{request.method} {request.path}: {status} {content[:300]!r}")
    document: dict[str, Any] = json.loads(content)
    return document
